import type { Finding } from "../finding.ts";

const MILLISECONDS_A_DAY = 86_400_000;

/** Older lists are no ground for saying that nothing is pending. Debian's security lists expire after as long. */
const FRESH_DAYS = 7;

export function daysSince(time: number, now: number): number {
  return Math.floor((now - time) / MILLISECONDS_A_DAY);
}

/** The finding that the package lists are too old to be believed; undefined where they are fresh. */
export function staleLists(what: string, listedAt: number, now: number, remedy: string): Finding | undefined {
  const days = daysSince(listedAt, now);
  if (days < FRESH_DAYS) return undefined;
  return {
    id: "updates.lists-stale",
    severity: "medium",
    subject: "package lists",
    evidence: `${what} is of ${new Date(listedAt).toISOString().slice(0, 10)}, ${days} days old: updates that came since are unknown`,
    remedy,
  };
}
