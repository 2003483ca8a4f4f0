import { SEVERITIES, type Severity } from "../api/audit.ts";
import type { CheckState, StandingFinding } from "./audit-state.ts";

/** When findings were first seen, by `findingKey`; ms since 1970. */
export type FirstSeen = ReadonlyMap<string, number>;

/** What tells a finding from others, over time. */
export function findingKey({ check, id, subject }: Pick<StandingFinding, "check" | "id" | "subject">): string {
  return `${check} ${id} ${subject}`;
}

/**
 * All findings after a check was made: the most urgent first, each once. One that was there before keeps the time at which
 * it was first seen; `remembered` knows that from before the agent started. Findings of a check that could not look stay:
 * nothing says that they are gone.
 */
export function standingAfter(
  { name, practice, at, result }: CheckState,
  before: readonly StandingFinding[],
  remembered: FirstSeen,
): readonly StandingFinding[] {
  if (result.status === "NotChecked") return before;
  const seen = new Map([...remembered, ...before.map((finding) => [findingKey(finding), finding.since] as const)]);
  const now = new Map<string, StandingFinding>();
  for (const finding of result.findings) {
    const key = findingKey({ ...finding, check: name });
    if (!now.has(key)) now.set(key, { ...finding, check: name, practice, since: seen.get(key) ?? at });
  }
  return [...before.filter(({ check }) => check !== name), ...now.values()].toSorted(byUrgency);
}

/** What was learned late (an API server away at the start) of when findings were first seen. */
export function withFirstSeen(findings: readonly StandingFinding[], remembered: FirstSeen): readonly StandingFinding[] {
  return findings.map((finding) => {
    const since = Math.min(finding.since, remembered.get(findingKey(finding)) ?? finding.since);
    return { ...finding, since };
  });
}

function byUrgency(a: StandingFinding, b: StandingFinding): number {
  return rank(a.severity) - rank(b.severity) || order(a.id, b.id) || order(a.subject, b.subject);
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
