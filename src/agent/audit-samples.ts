import type { AuditState, CheckState, ConnectionsState, ListenerState, StandingFinding } from "../audit/audit-state.ts";

/** One value of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** `state` as metrics: counts only, so that there are no more series for a node with ten thousand findings. Pure. */
export function auditSamples(state: AuditState): Sample[] {
  const { auditedAt, dueAt, checks, findings, listeners = [], connections } = state;
  return [
    ...time("port_hardening_audit_last_timestamp_seconds", auditedAt),
    ...time("port_hardening_audit_due_timestamp_seconds", dueAt),
    ...checks.flatMap(checkSamples),
    ...counted("port_hardening_audit_findings", findings, ({ id, severity }: StandingFinding) => ({
      finding: id,
      severity,
    })),
    ...counted("port_hardening_listeners", listeners, ({ protocol, expected, reach }: ListenerState) => ({
      protocol: protocol.toLowerCase(),
      expected: expected === undefined ? "unknown" : String(expected),
      reach: reach.toLowerCase(),
    })),
    ...(connections === undefined ? [] : connectionSamples(connections)),
  ];
}

function connectionSamples({ established, timeWait, localPortsUsedPercent: percent }: ConnectionsState): Sample[] {
  const name = "port_hardening_connections";
  return [
    { name, labels: { state: "established" }, value: established },
    { name, labels: { state: "time_wait" }, value: timeWait },
    ...(percent === undefined
      ? []
      : [{ name: "port_hardening_local_ports_used_ratio", labels: {}, value: percent / 100 }]),
  ];
}

function checkSamples({ name: check, practice, at, result }: CheckState): Sample[] {
  return [
    ...time("port_hardening_audit_check_timestamp_seconds", at, { check }),
    ...["Checked", "NotChecked"].map((status) => ({
      name: "port_hardening_audit_check_status",
      labels: { check, practice, status },
      value: result.status === status ? 1 : 0,
    })),
  ];
}

function time(name: string, milliseconds: number | undefined, labels: Sample["labels"] = {}): Sample[] {
  return milliseconds === undefined ? [] : [{ name, labels, value: milliseconds / 1000 }];
}

/** How many of `things` have the same labels. */
function counted<T>(name: string, things: readonly T[], labelsOf: (thing: T) => Sample["labels"]): Sample[] {
  const counts = new Map<string, { readonly name: string; readonly labels: Sample["labels"]; value: number }>();
  for (const thing of things) {
    const labels = labelsOf(thing);
    const key = JSON.stringify(labels);
    const sample = counts.get(key) ?? { name, labels, value: 0 };
    sample.value += 1;
    counts.set(key, sample);
  }
  return [...counts.values()];
}
