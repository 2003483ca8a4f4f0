import { interval, node, ofAgents, type Row } from "./panel.ts";

export const operatorRow: Row = {
  title: "Operator",
  panels: [
    {
      title: "CPU of agents",
      description: "Of one core.",
      kind: "timeseries",
      unit: "percentunit",
      queries: [[`rate(process_cpu_seconds_total[${interval}]) ${ofAgents}`, "{{node}}"]],
    },
    {
      title: "Memory of agents",
      kind: "timeseries",
      unit: "bytes",
      queries: [[`process_resident_memory_bytes ${ofAgents}`, "{{node}}"]],
    },
    {
      title: "Versions",
      kind: "table",
      unit: "short",
      queries: [["count by (component, version) (port_hardening_build_info)", ""]],
    },
    {
      title: "Controller: passes",
      kind: "timeseries",
      unit: "s",
      queries: [
        [
          `histogram_quantile(0.95, sum by (le, kind) (rate(port_hardening_controller_reconcile_duration_seconds_bucket[${interval}])))`,
          "{{kind}}, 95 of 100",
        ],
      ],
    },
    {
      title: "Controller: errors and queue",
      kind: "timeseries",
      unit: "short",
      queries: [
        [`sum by (kind) (increase(port_hardening_controller_reconcile_errors_total[${interval}]))`, "errors {{kind}}"],
        [
          `sum by (resource) (increase(port_hardening_controller_watch_errors_total[${interval}]))`,
          "watch errors {{resource}}",
        ],
        ["sum(port_hardening_controller_queue_depth)", "queue"],
        ["sum(port_hardening_controller_leader)", "leaders"],
      ],
    },
    {
      title: "Statuses written by agents",
      kind: "timeseries",
      unit: "short",
      queries: [
        [`sum(increase(port_hardening_status_writes_total{${node}}[${interval}]))`, "written"],
        [`sum(increase(port_hardening_status_write_failures_total{${node}}[${interval}]))`, "failed"],
      ],
    },
  ],
};
