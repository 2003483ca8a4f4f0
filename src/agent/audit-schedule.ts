import { createHash } from "node:crypto";
import { Cron } from "croner";

const HOUR_MILLISECONDS = 3_600_000;

/**
 * When all checks are due next, after `after`; undefined: never (30 February). Nodes are spread, so that a fleet is not
 * audited at once: each has a part of the time until the schedule's next time, half of it or an hour at most, by its name.
 */
export function nextAudit(schedules: readonly string[], node: string, after: number): number | undefined {
  const part = partOf(node);
  const times = schedules.flatMap((schedule) => nextOf(schedule, part, after) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function nextOf(schedule: string, part: number, after: number): number | undefined {
  const cron = new Cron(schedule, { mode: "5-part", paused: true, timezone: "UTC" });
  // A node's time may still be to come though the schedule's has passed.
  let time = cron.nextRun(new Date(after - HOUR_MILLISECONDS - 1));
  while (time !== null && time !== undefined) {
    const next = cron.nextRun(time);
    const due = time.getTime() + Math.floor(part * Math.min(HOUR_MILLISECONDS, untilNext(time, next) / 2));
    if (due > after) return due;
    time = next;
  }
  return undefined;
}

function untilNext(time: Date, next: Date | null | undefined): number {
  return next === null || next === undefined ? Number.POSITIVE_INFINITY : next.getTime() - time.getTime();
}

/** From 0 to 1, the same for a name always. */
function partOf(node: string): number {
  return createHash("sha256").update(node).digest().readUInt32BE() / 2 ** 32;
}
