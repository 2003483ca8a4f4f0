import type { Severity } from "../api/audit.ts";
import { type NodeAuditStatus, TOP_MAX } from "../api/audit-status.ts";
import { clipText } from "../api/condition.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import type { AuditState, CheckState, StandingFinding } from "../audit/audit-state.ts";
import type { Check } from "../audit/check.ts";
import type { NodeAudit, PolicyAudit } from "../plan/node-audit.ts";
import { connectionsStatus, listenersStatus } from "./sockets-status.ts";

/** What policies ask: the checks are those whose practice they do not ignore. */
export interface AskedAudit {
  readonly audit: NodeAudit;
  readonly checks: readonly Pick<Check, "name" | "practice">[];
}

export type AuditParts = Pick<NodeStateStatus, "audit" | "listeners" | "connections">;

/**
 * What status says of audits; nothing where nobody asks. An agent that has just started lets stand what the one before it
 * wrote, for the policies of now, until it has made all checks itself: findings neither go nor come by a restart. Pure.
 */
export function auditStatus(state: AuditState, asked: AskedAudit | undefined, before: AuditParts = {}): AuditParts {
  if (asked === undefined) return {};
  const starting = state.auditedAt === undefined && before.audit?.auditedAt !== undefined;
  const listeners =
    state.listeners &&
    listenersStatus(state.listeners, { areExpected: asked.audit.expected !== undefined, spoken: spokenOf(state) });
  const connections = state.connections === undefined ? undefined : connectionsStatus(state.connections);
  const shown = starting
    ? { listeners: listeners ?? before.listeners, connections: connections ?? before.connections }
    : { listeners, connections };
  return {
    audit: starting && before.audit !== undefined ? carriedOn(before.audit, asked) : measured(state, asked),
    ...(shown.listeners !== undefined && { listeners: shown.listeners }),
    ...(shown.connections !== undefined && { connections: shown.connections }),
  };
}

function spokenOf({ checks }: AuditState): ReadonlyMap<string, string> {
  const seen = checks.flatMap(({ result }) => (result.status === "Checked" ? (result.seen ?? []) : []));
  return new Map(seen.map(({ subject, says }) => [subject, says]));
}

function carriedOn(before: NodeAuditStatus, { audit, checks }: AskedAudit): NodeAuditStatus {
  const names = new Set(checks.map(({ name }) => name));
  return {
    ...before,
    checks: before.checks.filter(({ name }) => names.has(name)),
    policies: audit.policies.map(
      (policy) =>
        before.policies.find(({ name }) => name === policy.policy) ??
        policyStatus(policy, [], [], pendingOf(checks, [])),
    ),
  };
}

function measured(state: AuditState, { audit, checks }: AskedAudit): NodeAuditStatus {
  const { auditedAt, dueAt, request } = state;
  const pending = pendingOf(checks, state.checks);
  return {
    ...(auditedAt !== undefined && { auditedAt: isoTime(auditedAt) }),
    ...(dueAt !== undefined && { dueAt: isoTime(dueAt) }),
    ...(request !== undefined && { request: clipText(request, 64) }),
    findings: countBySeverity(state.findings),
    top: state.findings.slice(0, TOP_MAX).map(findingStatus),
    checks: state.checks.map((check) => checkStatus(check, state.findings)),
    policies: audit.policies.map((policy) => policyStatus(policy, state.checks, state.findings, pending)),
  };
}

function findingStatus(finding: StandingFinding): NodeAuditStatus["top"][number] {
  const { id, check, severity, subject, port, evidence, remedy, since } = finding;
  return {
    id: clipText(id, 64),
    check,
    severity,
    subject: clipText(subject, 128),
    ...(port !== undefined && { port }),
    evidence: clipText(evidence, 200),
    remedy: clipText(remedy, 200),
    since: isoTime(since),
  };
}

function checkStatus(
  { name, practice, at, result }: CheckState,
  all: readonly StandingFinding[],
): NodeAuditStatus["checks"][number] {
  const findings = all.filter(({ check }) => check === name).length;
  return result.status === "Checked"
    ? { name, practice, status: "Checked", examined: result.examined, findings, at: isoTime(at) }
    : { name, practice, status: "NotChecked", reason: clipText(result.reason, 256), findings, at: isoTime(at) };
}

/** A finding is a policy's where it looks at the practice, on one of its ports or on the whole host. */
function policyStatus(
  { policy, levels, ports }: PolicyAudit,
  checks: readonly CheckState[],
  all: readonly StandingFinding[],
  pending: AskedAudit["checks"],
): NodeAuditStatus["policies"][number] {
  const own = all.filter(
    ({ practice, port }) =>
      levels[practice] !== "Ignore" && (port === undefined || ports.some(({ from, to }) => from <= port && port <= to)),
  );
  const required = ({ practice }: Pick<Check, "practice">): boolean => levels[practice] === "Required";
  const notChecked = checks.filter(({ result }) => result.status === "NotChecked");
  return {
    name: policy,
    notMet: own.filter(required).length + notChecked.filter(required).length,
    pending: pending.filter(({ practice }) => levels[practice] !== "Ignore").length,
    findings: countBySeverity(own),
  };
}

function pendingOf(checks: AskedAudit["checks"], tried: readonly CheckState[]): AskedAudit["checks"] {
  return checks.filter(({ name }) => !tried.some((check) => check.name === name));
}

function countBySeverity(findings: readonly StandingFinding[]): Record<Severity, number> {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return {
    critical: count("critical"),
    high: count("high"),
    medium: count("medium"),
    low: count("low"),
    info: count("info"),
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
