import { both, interval, node, policy, type Row } from "./panel.ts";

export const enforcementRow: Row = {
  title: "Enforcement",
  panels: [
    {
      title: "Nodes enforced",
      kind: "stat",
      unit: "short",
      width: 4,
      queries: [[`sum(port_hardening_policy_nodes{${policy}, outcome="Enforced"})`, "enforced"]],
    },
    {
      title: "Nodes not enforced",
      description: "Failed, NotEnforceable, Outdated or on their way, summed over the policies.",
      kind: "stat",
      unit: "short",
      width: 4,
      thresholds: [1, 5],
      queries: [
        [`sum(port_hardening_policy_nodes{${policy}, outcome=~"Failed|NotEnforceable|Outdated|Pending"})`, "not"],
      ],
    },
    {
      title: "Nodes unknown",
      description: "Not ready, or not heard of for three minutes.",
      kind: "stat",
      unit: "short",
      width: 4,
      thresholds: [1, 5],
      queries: [[`sum(port_hardening_policy_nodes{${policy}, outcome="Unknown"})`, "unknown"]],
    },
    {
      title: "Policies by status",
      kind: "table",
      unit: "short",
      width: 12,
      queries: [["sum by (status) (port_hardening_policies)", ""]],
    },
    {
      title: "Nodes by policy and outcome",
      kind: "timeseries",
      unit: "short",
      width: 12,
      queries: [[`sum by (policy, outcome) (port_hardening_policy_nodes{${policy}})`, "{{policy}} {{outcome}}"]],
    },
    {
      title: "Not enforced, by node",
      description: "1: the node's agent does not find the policy in the kernel at its current revision.",
      kind: "timeseries",
      unit: "short",
      width: 12,
      queries: [[`1 - port_hardening_policy_enforced{${both}}`, "{{node}} {{policy}}"]],
    },
    {
      title: "Drift repaired",
      description: "Changes by others that were put right.",
      kind: "timeseries",
      unit: "short",
      queries: [[`sum by (node) (increase(port_hardening_drift_repairs_total{${node}}[${interval}]))`, "{{node}}"]],
    },
    {
      title: "Problems of nodes",
      description:
        "Drifting: repairs do not hold. StateNotSaved: not kept over a reboot. ExistingUnknown: open connections. ChangesNotSeen: the API server refuses them.",
      kind: "timeseries",
      unit: "short",
      queries: [[`sum by (problem) (port_hardening_node_problem{${node}})`, "{{problem}}"]],
    },
    {
      title: "Last found right",
      description: "Time since all rules, sets and sysctls were read back and right.",
      kind: "timeseries",
      unit: "s",
      queries: [[`time() - port_hardening_last_verified_timestamp_seconds{${node}}`, "{{node}}"]],
    },
  ],
};
