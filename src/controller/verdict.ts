import type { NodeOutcome } from "./node-outcome.ts";
import type { RolloutDecision } from "./rollout.ts";
import type { RolloutVerdict } from "./rollout-verdict.ts";

type Status = "True" | "False" | "Unknown";

/** What the conditions Ready, Reconciling and Stalled say, before it is known when they began to. */
export interface Verdict {
  readonly ready: Status;
  readonly reconciling: boolean;
  readonly stalled: boolean;
  /** The one reason for all of them. */
  readonly reason:
    | "Enforced"
    | "Observing"
    | "NoNodesSelected"
    | "Progressing"
    | "NodesFailed"
    | "AgentOutdated"
    | "ControllerOutdated"
    | "PartlyEnforced"
    | "NodesUnknown"
    | "InvalidPolicy"
    | RolloutVerdict["reason"];
  readonly message: string;
}

export interface JudgeOptions {
  readonly observes?: boolean;
  /** Why the roll-out does not go on. */
  readonly rollout?: RolloutVerdict | undefined;
  readonly decision?: Pick<RolloutDecision, "phase" | "waitingFor" | "pending"> | undefined;
}

/**
 * Ready = every selected node that is Ready and heard of is Enforced at the current revision (DESIGN 2). Unknown nodes
 * block it not. But where there is nothing else than unknown nodes, nobody knows: Ready is then Unknown, so that a
 * cluster without a single agent does not turn Ready after a while. Where a node cannot enforce it for what else is there,
 * or its agent cannot be told of it, somebody has to act, so that is Stalled too.
 */
export function judgePolicy(
  outcomes: readonly NodeOutcome[],
  problem: string | undefined,
  { observes = false, rollout, decision }: JudgeOptions = {},
): Verdict {
  const {
    Enforced: enforced,
    Failed: failed,
    Pending: pending,
    Unknown: unknown,
    NotEnforceable: evaded,
    Outdated: outdated,
  } = groupOutcomes(outcomes);
  const all = countNodes(outcomes.length);
  const does = observes ? "observe it, and change nothing" : "enforce it";
  const reconciling = pending.length > 0;
  if (problem !== undefined) {
    const message = `${problem}. Nodes that enforced it before keep that revision.`;
    return { ready: "False", reconciling: false, stalled: true, reason: "InvalidPolicy", message };
  }
  if (outcomes.length === 0) {
    const message = "No node has the labels that nodeSelector asks for.";
    return { ready: "True", reconciling: false, stalled: false, reason: "NoNodesSelected", message };
  }
  if (failed.length > 0) {
    const first = failed[0];
    const message = `${failed.length} of ${all} failed: ${nameNodes(failed)}. ${first?.node}: ${first?.message ?? first?.reason ?? "no reason given"}`;
    if (rollout?.reason !== "RolloutHalted") {
      return { ready: "False", reconciling, stalled: true, reason: "NodesFailed", message };
    }
    return { ready: "False", reconciling: false, ...rollout, message: `${message}. ${rollout.message}` };
  }
  if (rollout !== undefined) {
    const message = `${enforced.length} of ${all} ${does}. ${rollout.message}`;
    return { ready: "False", reconciling: false, ...rollout, message };
  }
  if (outdated.length > 0) {
    const first = outdated[0];
    const reason = first?.reason === "ControllerOutdated" ? "ControllerOutdated" : "AgentOutdated";
    const message = `${enforced.length} of ${all} ${does}; cannot be told: ${nameNodes(outdated)}, which keep what they have. ${first?.node}: ${first?.message ?? "no reason given"}`;
    return { ready: "False", reconciling, stalled: true, reason, message };
  }
  if (reconciling) {
    const message = `${enforced.length} of ${all} ${does}; ${waitingWords(pending, decision)}.`;
    return { ready: "False", reconciling, stalled: false, reason: "Progressing", message };
  }
  const [first] = evaded;
  if (first !== undefined) {
    const message = `${enforced.length} of ${all} ${does}; not enforceable on ${nameNodes(evaded)}. ${first.node}: ${first.message ?? "no reason given"}`;
    return { ready: "False", reconciling: false, stalled: true, reason: "PartlyEnforced", message };
  }
  const silent = `not ready or not heard of: ${nameNodes(unknown)}.`;
  if (enforced.length === 0) {
    const message = `None of ${all} can be judged; ${silent}`;
    return { ready: "Unknown", reconciling: false, stalled: false, reason: "NodesUnknown", message };
  }
  const message = unknown.length === 0 ? `All of ${all} ${does}.` : `${enforced.length} of ${all} ${does}; ${silent}`;
  return { ready: "True", reconciling: false, stalled: false, reason: observes ? "Observing" : "Enforced", message };
}

/** Of those that are not there yet only some were told; the others wait for these. */
function waitingWords(pending: readonly NodeOutcome[], decision: JudgeOptions["decision"]): string {
  const { phase, waitingFor = [], pending: following = 0 } = decision ?? {};
  if (waitingFor.length === 0) return `waiting for ${nameNodes(pending)}`;
  const told = nameNodes(waitingFor.map(({ name }) => ({ node: name })));
  const after = following === 0 ? "" : `; ${countNodes(following)} ${following === 1 ? "follows" : "follow"}`;
  return `${phase === "Canary" ? "canary: " : ""}waiting for ${told}${after}`;
}

export function groupOutcomes(
  outcomes: readonly NodeOutcome[],
): Record<NodeOutcome["outcome"], readonly NodeOutcome[]> {
  const groups = Object.groupBy(outcomes, ({ outcome }) => outcome);
  const { Enforced = [], Failed = [], NotEnforceable = [], Outdated = [], Pending = [], Unknown = [] } = groups;
  return { Enforced, Failed, NotEnforceable, Outdated, Pending, Unknown };
}

/** `a, b, c and 4 more`. */
export function nameNodes(nodes: readonly { readonly node: string }[]): string {
  const names = nodes
    .slice(0, 3)
    .map(({ node }) => node)
    .join(", ");
  return nodes.length > 3 ? `${names} and ${nodes.length - 3} more` : names;
}

export function countNodes(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}
