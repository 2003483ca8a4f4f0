import type { AuditState, CheckState, StandingFinding } from "../../../src/audit/audit-state.ts";

export const auditTime = Date.parse("2026-11-23T03:12:00Z");

/** One finding, as a check makes it. */
export function finding(changes: Partial<StandingFinding> = {}): StandingFinding {
  return {
    check: "listeners",
    practice: "listeners",
    id: "listeners.unexpected",
    severity: "high",
    subject: "tcp 0.0.0.0:6379 redis-server",
    port: 6379,
    evidence: "listens, everybody gets through: redis-server, user 104",
    remedy: "Stop it, bind it to loopback, or add it to the expected listeners",
    since: auditTime,
    ...changes,
  };
}

export function check(name: string, result: CheckState["result"], at = auditTime): CheckState {
  return { name, practice: "listeners", at, result };
}

export const found = (examined: number): CheckState["result"] => ({ status: "Checked", examined, findings: [] });

export function auditState(changes: Partial<AuditState> = {}): AuditState {
  return { auditedAt: auditTime, dueAt: auditTime + 86_400_000, checks: [], findings: [], ...changes };
}

/** As long as each part of a finding may be, of `filler`. */
export function longestFinding(number: number, filler = "x"): StandingFinding {
  const text = (length: number) => `${number} ${filler.repeat(length)}`.slice(0, length);
  return finding({
    id: "protocols.plaintext-postgresql",
    severity: "critical",
    subject: text(128),
    port: 1024 + number,
    evidence: text(200),
    remedy: text(200),
  });
}
