import { DEFAULT_ROLLOUT, type Rollout } from "../api/rollout.ts";
import { auditRequest } from "./audit-request.ts";
import { desiredPolicies } from "./desired-policies.ts";
import { nodeTarget } from "./node-target.ts";
import type { OwnWrites } from "./own-writes.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import type { PreviewPatience } from "./preview-patience.ts";
import { type PreviewGate, type RolloutNode, rollout, type Turn } from "./rollout.ts";
import { type Hearing, rolloutNode } from "./rollout-node.ts";
import type { ControllerStores } from "./stores.ts";

/** Whether this policy may be changed on this node to this revision (undefined: taken off) now: a turn is no turn for a later edit. */
export type TurnOf = (policy: string, node: string, revision: string | undefined) => Turn | undefined;

/** Which policies may change now, and where that makes a difference. */
export interface FleetRollout {
  readonly turnOf: TurnOf;
  /** Nodes whose NodeState must be written or deleted: those first on which something comes into force. */
  readonly nodes: readonly string[];
  /** When a roll-out has waited long enough for what nodes say; absent: none waits. */
  readonly lookAgainInMilliseconds?: number;
  /** Policies whose status is to show what nodes say, before their roll-out goes on. */
  readonly previewing: readonly string[];
}

export interface FleetContext extends Hearing {
  readonly stores: ControllerStores;
  readonly written: Pick<OwnWrites, "newest">;
  readonly patience: PreviewPatience;
}

/** One look at the whole fleet; roll-out decides on each policy by itself. */
export function fleetRollout({ stores, written, patience, ...hearing }: FleetContext): FleetRollout {
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
  const waits = new Map<string, number>();
  patience.keep(new Set(byPolicy.keys()));
  const turns = new Map(
    [...byPolicy].map(([policy, list]) => [policy, turnsOf(policies.get({ name: policy }), list, patience, waits)]),
  );
  const turnOf: TurnOf = (policy, node, revision) => {
    const given = turns.get(policy)?.get(node);
    return given?.revision === revision ? given?.turn : undefined;
  };
  const changing: string[] = [];
  const asked: string[] = [];
  for (const { node, state, desired } of views) {
    const target = nodeTarget(desired, state, (policy, revision) =>
      node.skipped ? "Awaited" : turnOf(policy, node.name, revision),
    );
    const differs =
      target.differs ||
      state?.ownerUid !== node.uid ||
      state.auditRequest !== auditRequest(node, desired.keys(), policies) ||
      state.skipped !== node.skipped;
    if (differs) changing.push(node.name);
    else if (target.asks) asked.push(node.name);
  }
  const orphans = nodeStates.list().filter(({ name }) => nodes.get({ name }) === undefined);
  return {
    turnOf,
    nodes: [...changing, ...orphans.map(({ name }) => name), ...asked],
    previewing: [...waits.keys()],
    ...(waits.size === 0 ? {} : { lookAgainInMilliseconds: Math.min(...waits.values()) }),
  };
}

function turnsOf(
  policy: PolicyFacts | undefined,
  nodes: readonly RolloutNode[],
  patience: PreviewPatience,
  waits: Map<string, number>,
) {
  const gate = policy === undefined ? undefined : previewGate(policy, patience);
  const { turns, previewing } = rollout(rolloutOf(policy), nodes, gate);
  const revision = policy && revisionOf(policy);
  if (policy !== undefined && revision !== undefined && previewing !== undefined) {
    waits.set(policy.name, patience.waits(policy.name, revision, previewing.length));
  }
  return new Map(
    nodes.flatMap(({ name, desired: revision }) => {
      const turn = turns.get(name);
      return turn === undefined ? [] : [[name, { turn, revision }] as const];
    }),
  );
}

function previewGate(policy: PolicyFacts, patience: PreviewPatience): PreviewGate | undefined {
  const revision = revisionOf(policy);
  if (revision === undefined) return undefined;
  const { preview } = policy.status ?? {};
  return {
    over: patience.over(policy.name, revision),
    shown: (preview?.revision === revision && preview.awaited === 0) || patience.lost(policy.name, revision),
  };
}

function revisionOf({ compiled }: PolicyFacts): string | undefined {
  return compiled.outcome === "Compiled" ? compiled.element.hash : undefined;
}

/** How a policy is rolled out. One that is gone, or that nobody can read, says nothing of it. */
export function rolloutOf(policy: Pick<PolicyFacts, "compiled"> | undefined): Rollout {
  const { compiled } = policy ?? {};
  return compiled === undefined || compiled.outcome === "Unreadable" ? DEFAULT_ROLLOUT : compiled.rollout;
}

function namesIn(elements: readonly { readonly name: string }[] = []): string[] {
  return elements.map(({ name }) => name);
}
