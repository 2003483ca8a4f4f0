import { isDeepStrictEqual } from "node:util";
import type { AuditState, CheckState, StandingFinding } from "../audit/audit-state.ts";
import { type FirstSeen, standingAfter, withFirstSeen } from "../audit/standing.ts";

/** What was found, result by result. */
export interface AuditRecord {
  readonly state: AuditState;
  /** Takes what a check found; whether that says something new. */
  made(check: CheckState): boolean;
  dueAt(at: number | undefined): void;
  /** undefined: not to be seen. */
  listeners(listeners: AuditState["listeners"] | undefined): void;
  connections(connections: AuditState["connections"] | undefined): void;
  /** Since when findings are known that an agent before this one had. */
  remember(seen: FirstSeen): void;
  /** Only these checks are asked for. */
  keep(checks: ReadonlySet<string>): void;
  /** All checks were made once: what is found from now on is new. */
  complete(round: Pick<AuditState, "auditedAt" | "request">): void;
}

const NOTHING: AuditState = { checks: [], findings: [] };

/** @param order names of all checks, as they are listed. */
export function auditRecord(order: readonly string[]): AuditRecord {
  let state = NOTHING;
  let remembered: FirstSeen = new Map();
  const byOrder = (a: CheckState, b: CheckState): number => order.indexOf(a.name) - order.indexOf(b.name);

  return {
    get state() {
      return state;
    },
    made(check) {
      const before = state.checks.find(({ name }) => name === check.name);
      const findings = standingAfter(check, state.findings, remembered);
      const checks = [...state.checks.filter(({ name }) => name !== check.name), check].toSorted(byOrder);
      const news = !isDeepStrictEqual(gist(before, state.findings), gist(check, findings));
      state = { ...state, checks, findings };
      return news;
    },
    dueAt(at) {
      const { dueAt: _, ...rest } = state;
      state = at === undefined ? rest : { ...rest, dueAt: at };
    },
    listeners(listeners) {
      const { listeners: _, ...rest } = state;
      state = listeners === undefined ? rest : { ...rest, listeners };
    },
    connections(connections) {
      const { connections: _, ...rest } = state;
      state = connections === undefined ? rest : { ...rest, connections };
    },
    remember(seen) {
      state = { ...state, findings: withFirstSeen(state.findings, seen) };
      if (state.auditedAt === undefined) remembered = seen;
    },
    keep(checks) {
      if (checks.size === 0) {
        state = NOTHING;
        remembered = new Map();
        return;
      }
      state = {
        ...state,
        checks: state.checks.filter(({ name }) => checks.has(name)),
        findings: state.findings.filter(({ check }) => checks.has(check)),
      };
    },
    complete(round) {
      state = { ...state, ...round };
      remembered = new Map();
    },
  };
}

/** Without what changes with each run. */
function gist(check: CheckState | undefined, findings: readonly StandingFinding[]): object {
  const { status, reason } = check?.result.status === "NotChecked" ? check.result : { status: check?.result.status };
  return { status, reason, findings: findings.map(({ evidence: _, ...finding }) => finding) };
}
