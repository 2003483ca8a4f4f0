import { auditRequest } from "./audit-request.ts";
import { type DesiredPolicy, desiredPolicies } from "./desired-policies.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import { nodeTarget } from "./node-target.ts";
import { type RolloutNode, rollout } from "./rollout.ts";
import type { ControllerStores } from "./stores.ts";

/** Which policies may change now, and where that makes a difference. */
export interface FleetRollout {
  mayChange(policy: string, node: string): boolean;
  /** Nodes whose NodeState must be written or deleted. */
  readonly nodes: readonly string[];
}

/** One look at the whole fleet; roll-out decides on each policy by itself. */
export function fleetRollout({ policies, nodes, nodeStates }: ControllerStores): FleetRollout {
  const compiled = policies.list().map((facts) => facts.compiled);
  const byPolicy = new Map<string, RolloutNode[]>();
  const views = nodes.list().map((node) => {
    const state = nodeStates.get({ name: node.name });
    const desired = desiredPolicies(compiled, node, state);
    for (const [policy, change] of revisions(desired, state)) {
      const reported = state?.reported.find(({ name }) => name === policy);
      const list = byPolicy.get(policy) ?? [];
      list.push({ name: node.name, ...change, reported });
      byPolicy.set(policy, list);
    }
    return { node, state, desired };
  });
  const admitted = new Map([...byPolicy].map(([policy, list]) => [policy, rollout(list)]));
  const mayChange = (policy: string, node: string) => admitted.get(policy)?.has(node) ?? false;
  const changing = views.filter(
    ({ node, state, desired }) =>
      state?.ownerUid !== node.uid ||
      state.auditRequest !== auditRequest(node, desired.keys(), policies) ||
      nodeTarget(desired, state, (policy) => mayChange(policy, node.name)).differs,
  );
  const orphans = nodeStates.list().filter(({ name }) => nodes.get({ name }) === undefined);
  return { mayChange, nodes: [...changing.map(({ node }) => node.name), ...orphans.map(({ name }) => name)] };
}

/** What each policy would be changed from and to; one that is invalid stays what it is. */
function revisions(desired: ReadonlyMap<string, DesiredPolicy>, state: NodeStateFacts | undefined) {
  const changes = new Map<string, Pick<RolloutNode, "desired" | "assigned">>();
  for (const { name, hash } of state?.assigned ?? []) changes.set(name, { desired: undefined, assigned: hash ?? "" });
  for (const [name, wanted] of desired) {
    const assigned = changes.get(name)?.assigned;
    changes.set(name, { desired: "element" in wanted ? wanted.element.hash : assigned, assigned });
  }
  return changes;
}
