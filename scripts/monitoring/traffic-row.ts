import { both, interval, type Row } from "./panel.ts";

export const trafficRow: Row = {
  title: "Traffic",
  panels: [
    {
      title: "Dropped by policy and entry",
      kind: "timeseries",
      unit: "pps",
      width: 12,
      stacked: true,
      queries: [
        [
          `sum by (policy, entry, direction) (rate(port_hardening_dropped_packets_total{${both}}[${interval}]))`,
          "{{policy}}/{{entry}} {{direction}}",
        ],
      ],
    },
    {
      title: "Dropped by node",
      kind: "timeseries",
      unit: "pps",
      width: 12,
      stacked: true,
      queries: [[`sum by (node) (rate(port_hardening_dropped_packets_total{${both}}[${interval}]))`, "{{node}}"]],
    },
    {
      title: "Policies in mode Observe: would drop, would open",
      kind: "timeseries",
      unit: "pps",
      width: 12,
      queries: [
        [
          `sum by (policy, entry) (rate(port_hardening_would_drop_packets_total{${both}}[${interval}]))`,
          "would drop {{policy}}/{{entry}}",
        ],
        [
          `sum by (policy, entry) (rate(port_hardening_would_open_packets_total{${both}}[${interval}]))`,
          "would open {{policy}}/{{entry}}",
        ],
      ],
    },
    {
      title: "Connections from before that policies refuse",
      kind: "timeseries",
      unit: "short",
      width: 12,
      queries: [[`sum by (policy, fate) (port_hardening_existing_connections{${both}})`, "{{policy}} {{fate}}"]],
    },
  ],
};
