import type { ComingSummary } from "../api/coming.ts";
import { type Condition, clipText, setCondition } from "../api/condition.ts";
import { FAILURES_MAX, type PolicyStatus } from "../api/policy.ts";
import type { Conflict } from "../plan/node-plan.ts";
import type { NodeAuditOutcome } from "./audit-outcome.ts";
import { AUDITED, judgeAudited, summariseAudit } from "./audit-summary.ts";
import { cappedSum } from "./capped-sum.ts";
import type { NodeOutcome } from "./node-outcome.ts";
import { summariseObserved } from "./observed-outcome.ts";
import { type PodsOutcome, podRemarks, withPods } from "./pods-outcome.ts";
import { remarksOf } from "./remarks.ts";
import { deadlineOf, type PolicyRollout, rolloutStatus } from "./rollout-progress.ts";
import { judgeRollout } from "./rollout-verdict.ts";
import { skippedWords } from "./skipped-nodes.ts";
import { summariseUnmatched } from "./unmatched-outcome.ts";
import { groupOutcomes, judgePolicy, nameNodes } from "./verdict.ts";

/** A scalar that the policy loses on a node. */
export interface NodeConflict extends Conflict {
  readonly node: string;
}

export interface PolicyOutcome {
  readonly generation: number;
  /** Why the policy cannot be read or compiled. */
  readonly problem: string | undefined;
  /** One per selected node, sorted by name. */
  readonly outcomes: readonly NodeOutcome[];
  /** Those that this policy loses. */
  readonly conflicts: readonly NodeConflict[];
  /** The policy only observes. */
  readonly observes: boolean;
  /** The policy asks for a range of local ports, so the measured one is shown. */
  readonly setsRange: boolean;
  /** What is odd in the cluster, apart from what nodes say: sentences. */
  readonly warnings: readonly string[];
  /** How far it has come; absent where it cannot be read or compiled. */
  readonly rollout?: PolicyRollout;
  /** What it would cut where it has not come yet; absent: it waits for nobody. */
  readonly preview?: ComingSummary;
  /** Nodes that it would select if nobody had taken them out; absent: none. */
  readonly skipped?: readonly string[];
  /** One per selected node; absent where the policy asks for no audit. */
  readonly audits?: readonly NodeAuditOutcome[];
  /** Absent where the policy asks for nothing in pods. */
  readonly pods?: PodsOutcome;
}

/** The status to publish. Equal to `before` (by value) where nothing changed, so that nothing is written then. */
export function summarisePolicy(policy: PolicyOutcome, before: PolicyStatus | undefined, now: Date): PolicyStatus {
  const {
    generation: observedGeneration,
    problem,
    outcomes,
    conflicts,
    setsRange,
    observes,
    warnings,
    skipped = [],
  } = policy;
  const groups = groupOutcomes(outcomes);
  const { Enforced: enforced, Failed: failed, NotEnforceable: evaded, Outdated: outdated, Unknown: unknown } = groups;
  const { rollout } = policy;
  const progress = rollout && rolloutStatus(rollout, before?.rollout, now);
  const overdue =
    rollout !== undefined && progress !== undefined && now.getTime() >= deadlineOf(progress, rollout.settings);
  const { ready, reconciling, stalled, reason, ...verdict } = withPods(
    judgePolicy(outcomes, problem, {
      observes,
      rollout: rollout && judgeRollout(rollout, overdue),
      decision: rollout?.decision,
    }),
    policy.pods,
  );
  const ofNodes =
    outcomes.length === 0 && skipped.length > 0 ? "Every node that it selects is left out." : verdict.message;
  const { preview } = policy;
  const message = [
    ofNodes + remarksOf(outcomes) + skippedWords(skipped),
    // Where nobody could be asked it says no more than how many wait.
    ...(preview !== undefined && preview.looked + preview.awaited > 0 ? [preview.message] : []),
    ...podRemarks(policy.pods),
    ...warnings,
  ].join(" ");
  const flag = (type: string, holds: boolean) => ({ type, status: holds ? "True" : "False", reason, message }) as const;
  const conditions = [
    { type: "Ready", status: ready, reason, message },
    flag("Reconciling", reconciling),
    flag("Stalled", stalled),
    conflicted(conflicts),
    ...audited(policy, before),
  ].reduce<readonly Condition[]>(
    (done, condition) => setCondition(done, { ...condition, observedGeneration }, now),
    withoutStale(before?.conditions ?? [], policy),
  );
  const range = measuredRanges(enforced);
  return {
    observedGeneration,
    conditions,
    status: reason === "Enforced" ? "Ready" : reason,
    message: clipText(message),
    nodes: {
      selected: outcomes.length,
      enforced: enforced.length,
      failed: failed.length,
      unknown: unknown.length,
      ...(evaded.length === 0 ? {} : { notEnforceable: evaded.length }),
      ...(outdated.length === 0 ? {} : { outdated: outdated.length }),
      ...(skipped.length === 0 ? {} : { skipped: skipped.length }),
    },
    ...(progress === undefined ? {} : { rollout: progress }),
    ...(preview === undefined ? {} : { preview }),
    ...(setsRange && range !== "" ? { range } : {}),
    ...(policy.pods?.counts === undefined ? {} : { pods: policy.pods.counts }),
    droppedPackets: Math.min(
      Number.MAX_SAFE_INTEGER,
      outcomes.reduce((sum, { droppedPackets }) => sum + droppedPackets, 0),
    ),
    ...existingOf(outcomes),
    ...(policy.audits === undefined ? {} : { audit: summariseAudit(policy.audits) }),
    ...summariseUnmatched(enforced.map((one) => one.unmatched)),
    ...(observes ? summariseObserved(outcomes.flatMap(({ observed }) => observed ?? [])) : {}),
    failures: [...failed, ...outdated, ...evaded].slice(0, FAILURES_MAX).map(({ node, reason, message }) => ({
      node,
      reason: clipText(reason ?? "Failed", 256),
      message: clipText(message ?? ""),
    })),
  };
}

function existingOf(outcomes: readonly NodeOutcome[]): Pick<PolicyStatus, "existingConnections"> {
  const counted = outcomes.flatMap(({ existingConnections }) => existingConnections ?? []);
  if (counted.length === 0) return {};
  const sum = (of: "kept" | "cut") => cappedSum(counted.map((one) => one[of]));
  return { existingConnections: { kept: sum("kept"), cut: sum("cut") } };
}

/** Nobody can say what a policy asks for that cannot be compiled: the condition stays only where it was. */
function audited({ audits, problem }: PolicyOutcome, before: PolicyStatus | undefined) {
  if (audits !== undefined) return [{ type: AUDITED, ...judgeAudited(audits) }];
  if (problem === undefined || !before?.conditions?.some(({ type }) => type === AUDITED)) return [];
  return [{ type: AUDITED, status: "Unknown", reason: "InvalidPolicy", message: problem } as const];
}

function withoutStale(conditions: readonly Condition[], { audits, problem }: PolicyOutcome): readonly Condition[] {
  const asksNot = audits === undefined && problem === undefined;
  return asksNot ? conditions.filter(({ type }) => type !== AUDITED) : conditions;
}

function conflicted(conflicts: readonly NodeConflict[]) {
  const byLoss = Map.groupBy(conflicts, ({ field, winner }) => `${field}: policy ${winner} wins on`);
  const message = [...byLoss].map(([loss, nodes]) => `${loss} ${nameNodes(nodes)}`).join("; ");
  return message === ""
    ? ({
        type: "Conflicted",
        status: "False",
        reason: "NoConflict",
        message: "No other policy sets the same value.",
      } as const)
    : ({ type: "Conflicted", status: "True", reason: "LowerPrecedence", message: `${message}.` } as const);
}

/** The one range that all measured, or the most frequent ones, as far as they fit. */
function measuredRanges(enforced: readonly NodeOutcome[]): string {
  const counts = new Map<string, number>();
  for (const { range } of enforced) if (range !== undefined) counts.set(range, (counts.get(range) ?? 0) + 1);
  const byCount = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return clipText(byCount.map(([range]) => range).join(", "), 64);
}
