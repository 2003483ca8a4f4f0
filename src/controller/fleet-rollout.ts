import { DEFAULT_ROLLOUT, type Rollout } from "../api/rollout.ts";
import { auditRequest } from "./audit-request.ts";
import { desiredPolicies } from "./desired-policies.ts";
import { nodeTarget } from "./node-target.ts";
import type { OwnWrites } from "./own-writes.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import { type RolloutNode, rollout, type Turn } from "./rollout.ts";
import { type Hearing, rolloutNode } from "./rollout-node.ts";
import type { ControllerStores } from "./stores.ts";

/** Whether this policy may be changed on this node to this revision (undefined: taken off) now: a turn is no turn for a later edit. */
export type TurnOf = (policy: string, node: string, revision: string | undefined) => Turn | undefined;

/** Which policies may change now, and where that makes a difference. */
export interface FleetRollout {
  readonly turnOf: TurnOf;
  /** Nodes whose NodeState must be written or deleted. */
  readonly nodes: readonly string[];
}

export interface FleetContext extends Hearing {
  readonly stores: ControllerStores;
  readonly written: Pick<OwnWrites, "newest">;
}

/** One look at the whole fleet; roll-out decides on each policy by itself. */
export function fleetRollout({ stores, written, ...hearing }: FleetContext): FleetRollout {
  const { policies, nodes, nodeStates } = stores;
  const compiled = policies.list().map((facts) => facts.compiled);
  const byPolicy = new Map<string, RolloutNode[]>();
  const views = nodes.list().map((node) => {
    const state = nodeStates.get({ name: node.name });
    const desired = desiredPolicies(compiled, node, state);
    const handed = written.newest(node.name, state);
    const concerned = [...desired.keys(), ...namesIn(handed?.assigned), ...namesIn(state?.reported)];
    for (const policy of new Set(concerned)) {
      const one = rolloutNode(policy, { node, state, handed, wanted: desired.get(policy) }, hearing);
      if (one === undefined) continue;
      const list = byPolicy.get(policy) ?? [];
      list.push(one);
      byPolicy.set(policy, list);
    }
    return { node, state, desired };
  });
  const turns = new Map([...byPolicy].map(([policy, list]) => [policy, turnsOf(policies.get({ name: policy }), list)]));
  const turnOf: TurnOf = (policy, node, revision) => {
    const given = turns.get(policy)?.get(node);
    return given?.revision === revision ? given?.turn : undefined;
  };
  const changing = views.filter(
    ({ node, state, desired }) =>
      state?.ownerUid !== node.uid ||
      state.auditRequest !== auditRequest(node, desired.keys(), policies) ||
      state.skipped !== node.skipped ||
      nodeTarget(desired, state, (policy, revision) => (node.skipped ? "Awaited" : turnOf(policy, node.name, revision)))
        .differs,
  );
  const orphans = nodeStates.list().filter(({ name }) => nodes.get({ name }) === undefined);
  return { turnOf, nodes: [...changing.map(({ node }) => node.name), ...orphans.map(({ name }) => name)] };
}

function turnsOf(policy: PolicyFacts | undefined, nodes: readonly RolloutNode[]) {
  const { turns } = rollout(rolloutOf(policy), nodes);
  return new Map(
    nodes.flatMap(({ name, desired: revision }) => {
      const turn = turns.get(name);
      return turn === undefined ? [] : [[name, { turn, revision }] as const];
    }),
  );
}

/** How a policy is rolled out. One that is gone, or that nobody can read, says nothing of it. */
export function rolloutOf(policy: Pick<PolicyFacts, "compiled"> | undefined): Rollout {
  const { compiled } = policy ?? {};
  return compiled === undefined || compiled.outcome === "Unreadable" ? DEFAULT_ROLLOUT : compiled.rollout;
}

function namesIn(elements: readonly { readonly name: string }[] = []): string[] {
  return elements.map(({ name }) => name);
}
