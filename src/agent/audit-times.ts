import { DEFAULT_SCHEDULE } from "../api/audit.ts";
import { nextAudit } from "./audit-schedule.ts";

/** When what is due. Intervals go by a clock that nobody sets, the schedule by the one on the wall. */
export interface AuditTimes {
  /** What is asked has changed: an audit is due when that has settled. */
  changed(schedules: readonly string[]): void;
  /** Nobody asks for anything. */
  stop(): void;
  /** An audit begins now. */
  begun(): void;
  /** The listeners are to be looked at now, whenever that was done last. */
  watchNow(): void;
  /** Whether it is due; then the next is due an interval later. */
  watchDue(): boolean;
  oftenDue(): boolean;
  auditDue(): boolean;
  /** What was asked for changed a moment ago. */
  readonly settling: boolean;
  /** ms since 1970. */
  readonly dueAt: number | undefined;
  /** ms until something is due. */
  wait(): number;
}

const WATCH_MILLISECONDS = 5_000;
const OFTEN_MILLISECONDS = 60_000;
/** Policies change one after the other: one audit is for all of them. */
const SETTLE_MILLISECONDS = 2_000;
const SETTLE_MAXIMUM_MILLISECONDS = 10_000;

const NEVER = Number.POSITIVE_INFINITY;

export function auditTimes({
  nodeName,
  now,
  elapsed,
}: {
  readonly nodeName: string;
  /** ms since 1970. */
  readonly now: () => number;
  /** ms on a clock that never goes back. */
  readonly elapsed: () => number;
}): AuditTimes {
  let schedules: readonly string[] = [];
  let watchAt = NEVER;
  let oftenAt = NEVER;
  let settling: { readonly since: number; readonly until: number } | undefined;
  let due: { readonly from: number; readonly at: number | undefined } | undefined;

  const plan = (): void => {
    const from = now();
    due = { from, at: nextAudit(schedules, nodeName, from) };
  };

  return {
    changed(next) {
      const at = elapsed();
      // A policy that watches but has no audit has no schedule.
      schedules = next.length === 0 ? [DEFAULT_SCHEDULE] : next;
      const since = settling?.since ?? at;
      settling = { since, until: Math.min(at + SETTLE_MILLISECONDS, since + SETTLE_MAXIMUM_MILLISECONDS) };
      watchAt = 0;
      if (oftenAt === NEVER) oftenAt = at + OFTEN_MILLISECONDS;
      plan();
    },
    stop() {
      watchAt = NEVER;
      oftenAt = NEVER;
      settling = undefined;
      due = undefined;
    },
    begun() {
      settling = undefined;
      oftenAt = elapsed() + OFTEN_MILLISECONDS;
      plan();
    },
    watchNow() {
      watchAt = 0;
    },
    watchDue() {
      if (elapsed() < watchAt) return false;
      watchAt = elapsed() + WATCH_MILLISECONDS;
      return true;
    },
    oftenDue() {
      if (elapsed() < oftenAt) return false;
      oftenAt = elapsed() + OFTEN_MILLISECONDS;
      return true;
    },
    auditDue() {
      if (settling !== undefined) return elapsed() >= settling.until;
      // Somebody set the clock back: what was planned by the old one may be far away.
      if (due !== undefined && now() < due.from) plan();
      return due?.at !== undefined && now() >= due.at;
    },
    get settling() {
      return settling !== undefined;
    },
    get dueAt() {
      return due?.at;
    },
    wait() {
      const settled = settling?.until ?? NEVER;
      const scheduled = settling === undefined && due?.at !== undefined ? due.at - now() : NEVER;
      return Math.min(Math.min(watchAt, oftenAt, settled) - elapsed(), scheduled);
    },
  };
}
