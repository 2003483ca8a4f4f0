import { node, policy, type Row } from "./panel.ts";

export const auditRow: Row = {
  title: "Listeners and audits",
  panels: [
    {
      title: "Listeners on protected ports",
      kind: "timeseries",
      unit: "short",
      queries: [[`sum by (node, expected) (port_hardening_listeners{${node}})`, "{{node}} expected: {{expected}}"]],
    },
    {
      title: "Listeners by who gets through",
      kind: "timeseries",
      unit: "short",
      queries: [[`sum by (reach) (port_hardening_listeners{${node}})`, "{{reach}}"]],
    },
    {
      title: "Findings by severity",
      kind: "timeseries",
      unit: "short",
      stacked: true,
      queries: [[`sum by (severity) (port_hardening_policy_audit_findings{${policy}})`, "{{severity}}"]],
    },
    {
      title: "Findings",
      kind: "table",
      unit: "short",
      width: 12,
      queries: [[`sum by (finding, severity, node) (port_hardening_audit_findings{${node}})`, ""]],
    },
    {
      title: "Checks that could not look",
      kind: "table",
      unit: "short",
      width: 12,
      queries: [[`sum by (check, node) (port_hardening_audit_check_status{${node}, status="NotChecked"})`, ""]],
    },
    {
      title: "Nodes audited, and not as required",
      kind: "timeseries",
      unit: "short",
      queries: [
        [`sum by (policy) (port_hardening_policy_audited_nodes{${policy}})`, "{{policy}} audited"],
        [`sum by (policy) (port_hardening_policy_audit_not_met_nodes{${policy}})`, "{{policy}} not as required"],
      ],
    },
    {
      title: "Since the last audit",
      kind: "timeseries",
      unit: "s",
      queries: [[`time() - port_hardening_audit_last_timestamp_seconds{${node}}`, "{{node}}"]],
    },
    {
      title: "Audits overdue",
      description: "Above 0: it should have been made by now.",
      kind: "timeseries",
      unit: "s",
      queries: [[`clamp_min(time() - port_hardening_audit_due_timestamp_seconds{${node}}, 0)`, "{{node}}"]],
    },
  ],
};
