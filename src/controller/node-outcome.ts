import type { PodCounts } from "../api/pods.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import { type ObservedOutcome, observedOutcome } from "./observed-outcome.ts";
import { unmatchedOf } from "./unmatched-outcome.ts";
import type { Skew } from "./written-plans.ts";

/** What became of one policy on one node that it selects. */
export interface NodeOutcome {
  readonly node: string;
  /**
   * Unknown: not Ready, or not heard of. Pending: on its way to the desired revision. NotEnforceable: there, but something
   * else on the node lets traffic past it. Outdated: agent and controller are too far apart to tell the node of it.
   */
  readonly outcome: "Enforced" | "Failed" | "NotEnforceable" | "Outdated" | "Pending" | "Unknown";
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly droppedPackets: number;
  /** As last counted; absent where nobody counted. */
  readonly existingConnections?: { readonly kept: number; readonly cut: number };
  /** What it would change in mode Observe; absent where the node says nothing of it. */
  readonly observed?: ObservedOutcome;
  /** Its entries that nothing has matched, where the revision is enforced; undefined: the node says nothing of that. */
  readonly unmatched?: readonly string[] | undefined;
  /** Measured range of local ports, where the revision is enforced. */
  readonly range?: string | undefined;
  /** How many of the node's pods have the range that policies ask for; as `range`. */
  readonly pods?: PodCounts | undefined;
}

/** What the node shall enforce of the policy, or why nothing could be compiled. */
export type Desired = { readonly hash: string } | { readonly problem: string; readonly skew?: Skew["reason"] };

export interface NodeView {
  readonly node: NodeFacts;
  readonly state: NodeStateFacts | undefined;
  /** When this node counts as silent unless it is heard of again (`silentFrom`), in milliseconds since the epoch. */
  readonly silentFrom: number;
}

/** An agent that was never heard of has as much time from the creation of its NodeState; before that it has all time. */
export function silentFrom(
  state: NodeStateFacts | undefined,
  heardAt: number | undefined,
  silentAfterMilliseconds: number,
): number {
  const since = heardAt ?? state?.createdAt;
  return since === undefined ? Number.POSITIVE_INFINITY : since + silentAfterMilliseconds;
}

/** Enforced means measured: the agent's word counts only where it speaks of the very revision that is desired. */
export function judgeNode(
  policy: string,
  desired: Desired,
  { node, state, silentFrom }: NodeView,
  now: number,
): NodeOutcome {
  const reported = state?.reported.find(({ name }) => name === policy);
  const existing = reported?.existingConnections;
  const observed = state && reported && observedOutcome(reported, state);
  const base = {
    node: node.name,
    droppedPackets: reported?.droppedPackets ?? 0,
    ...(existing === undefined ? {} : { existingConnections: existing }),
    ...(observed === undefined ? {} : { observed }),
  };
  if (!node.ready) return { ...base, outcome: "Unknown", reason: "NodeNotReady", message: "the node is not Ready" };
  if (now >= silentFrom) {
    return { ...base, outcome: "Unknown", reason: "AgentSilent", message: "the agent has not been heard of" };
  }
  if ("problem" in desired) {
    const { skew, problem: message } = desired;
    if (skew !== undefined) return { ...base, outcome: "Outdated", reason: skew, message };
    return { ...base, outcome: "Failed", reason: "InvalidPolicy", message };
  }
  if (reported?.hash !== desired.hash) return { ...base, outcome: "Pending" };
  const { state: said, reason, message } = reported;
  const outcome = said === "RolledBack" ? "Failed" : said;
  return {
    ...base,
    outcome,
    reason,
    message,
    ...(outcome === "Enforced"
      ? { range: state?.range, pods: state?.pods, unmatched: unmatchedOf(policy, state?.unmatched) }
      : {}),
  };
}
