import { Gauge, type Registry } from "prom-client";
import type { AuditState } from "../audit/audit-state.ts";
import { auditSamples } from "./audit-samples.ts";

/** What an agent's audits say to Prometheus. */
export interface AuditMetrics {
  /** Replaces all that was said before; undefined: nobody asks for an audit, so nothing is said. */
  set(state: AuditState | undefined): void;
}

/** Their labels are bounded whatever a node runs: neither addresses, ports nor names of processes. */
const METRICS = {
  port_hardening_audit_findings: {
    help: "Findings that stand, by what they are (docs/findings.md) and how severe.",
    labelNames: ["finding", "severity"],
  },
  port_hardening_audit_check_status: {
    help: "1 for the status that the latest run of a check had, else 0. NotChecked: it could not look, and has not passed.",
    labelNames: ["check", "practice", "status"],
  },
  port_hardening_audit_check_timestamp_seconds: {
    help: "When a check last looked, or tried to.",
    labelNames: ["check"],
  },
  port_hardening_audit_last_timestamp_seconds: { help: "When all checks were last made.", labelNames: [] },
  port_hardening_audit_due_timestamp_seconds: { help: "When all checks are made next.", labelNames: [] },
  port_hardening_listeners: {
    help: "Listeners on protected ports, by whether a policy expects them and who outside of the node gets through to them.",
    labelNames: ["protocol", "expected", "reach"],
  },
  port_hardening_connections: {
    help: "TCP connections of the node at the latest audit; time_wait: closed, and still holding a local port.",
    labelNames: ["state"],
  },
  port_hardening_local_ports_used_ratio: {
    help: "Most local ports in use towards one destination, of those that the kernel hands out, at the latest audit.",
    labelNames: [],
  },
} as const satisfies Record<string, { readonly help: string; readonly labelNames: readonly string[] }>;

export function auditMetrics(registry: Registry): AuditMetrics {
  const gauges = new Map<string, Gauge>();
  for (const [name, { help, labelNames }] of Object.entries(METRICS)) {
    gauges.set(name, new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] }));
  }
  const set: AuditMetrics["set"] = (state) => {
    for (const gauge of gauges.values()) {
      gauge.reset();
      // Without labels it would say 0 now, which reads as measured.
      gauge.remove({});
    }
    for (const { name, labels, value } of state === undefined ? [] : auditSamples(state)) {
      gauges.get(name)?.set({ ...labels }, value);
    }
  };
  set(undefined);
  return { set };
}
