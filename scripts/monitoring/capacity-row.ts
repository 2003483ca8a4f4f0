import { both, interval, node, type Row } from "./panel.ts";

export const capacityRow: Row = {
  title: "Capacity",
  panels: [
    {
      title: "Limits: sources remembered, of those that fit",
      kind: "timeseries",
      unit: "percentunit",
      thresholds: [0.8, 0.95],
      queries: [
        [
          `max by (policy, limit, family) (port_hardening_limit_sources{${both}} / port_hardening_limit_sources_max)`,
          "{{policy}}/{{limit}} {{family}}",
        ],
      ],
    },
    {
      title: "Connection tracking used",
      kind: "timeseries",
      unit: "percentunit",
      thresholds: [0.8, 0.95],
      queries: [[`port_hardening_conntrack_entries{${node}} / (port_hardening_conntrack_entries_max > 0)`, "{{node}}"]],
    },
    {
      title: "Local ports used towards one destination",
      kind: "timeseries",
      unit: "percentunit",
      thresholds: [0.8, 0.95],
      queries: [[`port_hardening_local_ports_used_ratio{${node}}`, "{{node}}"]],
    },
    {
      title: "TCP connections",
      kind: "timeseries",
      unit: "short",
      queries: [[`sum by (node, state) (port_hardening_connections{${node}})`, "{{node}} {{state}}"]],
    },
    {
      title: "Range of local ports",
      kind: "table",
      unit: "short",
      queries: [[`sum by (node, bound) (port_hardening_sysctl{${node}, key="net.ipv4.ip_local_port_range"})`, ""]],
    },
    {
      title: "Time to apply, 95 of 100",
      kind: "timeseries",
      unit: "s",
      queries: [
        [
          `histogram_quantile(0.95, sum by (le) (rate(port_hardening_apply_duration_seconds_bucket{${node}}[${interval}])))`,
          "apply",
        ],
      ],
    },
  ],
};
