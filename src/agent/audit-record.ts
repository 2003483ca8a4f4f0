import { isDeepStrictEqual } from "node:util";
import type { AuditState, CheckState, ListenerState, StandingFinding } from "../audit/audit-state.ts";
import { listenerName } from "../audit/listeners/listener.ts";
import { type FirstSeen, standingAfter, withFirstSeen } from "../audit/standing.ts";

/** What was found, result by result. */
export interface AuditRecord {
  readonly state: AuditState;
  /** Takes what a check found; whether that says something new. */
  made(check: CheckState): boolean;
  dueAt(at: number | undefined): void;
  /** Those that are there at `at`; undefined: not to be seen. */
  listeners(listeners: AuditState["listeners"] | undefined, at: number): void;
  connections(connections: AuditState["connections"] | undefined): void;
  /** Since when findings are known that an agent before this one had, and since when listeners are, by name. */
  remember(seen: FirstSeen, listenersSeen: FirstSeen): void;
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
  /** By name. One that could not be seen for a moment has not gone. */
  let listenersSince: FirstSeen = new Map();
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
    listeners(listeners, at) {
      const { listeners: _, ...rest } = state;
      state = rest;
      if (listeners === undefined) return;
      listenersSince = new Map(
        listeners.map(listenerName).map((name) => [name, listenersSince.get(name) ?? at] as const),
      );
      state = { ...rest, listeners: withSince(listeners, listenersSince) };
    },
    connections(connections) {
      const { connections: _, ...rest } = state;
      state = connections === undefined ? rest : { ...rest, connections };
    },
    remember(seen, listenersSeen) {
      const earlier = [...listenersSeen].map(
        ([name, at]) => [name, Math.min(at, listenersSince.get(name) ?? at)] as const,
      );
      listenersSince = new Map([...listenersSince, ...earlier]);
      const { listeners } = state;
      if (listeners !== undefined) state = { ...state, listeners: withSince(listeners, listenersSince) };
      state = { ...state, findings: withFirstSeen(state.findings, seen) };
      if (state.auditedAt === undefined) remembered = seen;
    },
    keep(checks) {
      if (checks.size === 0) {
        state = NOTHING;
        remembered = new Map();
        listenersSince = new Map();
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

function withSince(listeners: readonly ListenerState[], times: FirstSeen): readonly ListenerState[] {
  return listeners.map((listener) => {
    const since = times.get(listenerName(listener));
    return since === undefined ? listener : { ...listener, since };
  });
}

/** Without what changes with each run. */
function gist(check: CheckState | undefined, findings: readonly StandingFinding[]): object {
  const told = findings.map(({ evidence: _, ...finding }) => finding);
  if (check?.result.status !== "Checked") return { ...check?.result, findings: told };
  return { status: "Checked", seen: check.result.seen, findings: told };
}
