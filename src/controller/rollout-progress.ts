import type { Rollout, RolloutStatus } from "../api/rollout.ts";
import type { RolloutDecision } from "./rollout.ts";

/** One policy's roll-out, as its status is made of it. */
export interface PolicyRollout {
  readonly decision: RolloutDecision;
  readonly settings: Rollout;
  /** Hash of the newest revision. */
  readonly revision: string;
}

/**
 * What is published of it. `before` is the only memory of a roll-out: since when it stands as it does, and when it last came
 * forward. In whole seconds, as metav1.Time.
 */
export function rolloutStatus(
  { decision, revision }: Pick<PolicyRollout, "decision" | "revision">,
  before: RolloutStatus | undefined,
  now: Date,
): RolloutStatus {
  const { phase, total, updated, enforced } = decision;
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const left = total - enforced;
  const cameForward =
    before === undefined ||
    before.revision !== revision ||
    enforced > before.enforced ||
    left < before.total - before.enforced ||
    (before.phase !== phase && !runs(before.phase));
  return {
    phase,
    since: before?.phase === phase ? before.since : time,
    revision,
    total,
    updated,
    enforced,
    progressedAt: cameForward ? time : before.progressedAt,
  };
}

/** When the roll-out counts as stalled unless it comes forward, in milliseconds since the epoch. Infinity: it does not run. */
export function deadlineOf({ phase, progressedAt }: RolloutStatus, { progressDeadlineSeconds }: Rollout): number {
  return runs(phase) ? Date.parse(progressedAt) + progressDeadlineSeconds * 1_000 : Number.POSITIVE_INFINITY;
}

function runs(phase: RolloutStatus["phase"]): boolean {
  return phase === "Canary" || phase === "Progressing";
}
