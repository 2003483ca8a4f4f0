import { type AlertCases, always, ofAgent, ofPolicy, problem, series, target } from "./case.ts";

const errors = series("port_hardening_controller_reconcile_errors_total", {
  job: "port-hardening-controller",
  kind: "node",
});
const leader = (instance: string) => series("port_hardening_controller_leader", { instance });
const writeFailures = ofAgent("status_write_failures_total");

export const operatorCases: Readonly<Record<string, AlertCases>> = {
  PortHardeningAgentDown: {
    fires: {
      series: { [series("up", { ...target, job: "monitoring/port-hardening-agent" })]: always(0) },
      at: "11m",
      labels: { ...target, job: "monitoring/port-hardening-agent" },
      summary: "The agent of a does not answer",
    },
    quiet: {
      "it answers": { series: { [series("up", target)]: always(1) }, at: "11m" },
      "it is somebody else's": {
        series: { [series("up", { ...target, job: "node-exporter" })]: always(0) },
        at: "11m",
      },
      "its node was taken away": { series: { [series("up", target)]: "0 0 0 stale" }, at: "11m" },
    },
  },
  PortHardeningNodesUnknown: {
    fires: {
      series: { [ofPolicy("nodes", { outcome: "Unknown" })]: always(2) },
      at: "20m",
      labels: { policy: "p" },
      summary: "2 nodes of policy p were not heard of",
    },
    quiet: {
      "a node rebooted": { series: { [ofPolicy("nodes", { outcome: "Unknown" })]: "0 0 1+0x9 0+0x60" }, at: "20m" },
    },
  },
  PortHardeningControllerDown: {
    fires: {
      series: { [series("up", { job: "port-hardening-controller" })]: always(0) },
      at: "11m",
      labels: {},
      summary: "No controller of port-hardening answers",
    },
    quiet: {
      "one of two answers": {
        series: {
          [series("up", { job: "ns/port-hardening-controller", instance: "a" })]: always(0),
          [series("up", { job: "ns/port-hardening-controller", instance: "b" })]: always(1),
        },
        at: "11m",
      },
    },
  },
  PortHardeningControllerNoLeader: {
    fires: {
      series: { [leader("a")]: always(0), [leader("b")]: always(0) },
      at: "6m",
      labels: {},
      summary: "No controller of port-hardening leads",
    },
    quiet: {
      "one of two leads": { series: { [leader("a")]: always(0), [leader("b")]: always(1) }, at: "6m" },
      "the other takes over": {
        series: { [leader("a")]: "1 1 0+0x9", [leader("b")]: "0 0 0 1+0x9" },
        at: "6m",
      },
    },
  },
  PortHardeningControllerErrors: {
    fires: {
      series: { [errors]: "0+1x60" },
      at: "50m",
      labels: { kind: "node" },
      summary: "The controller fails to reconcile: 15 errors in 15 minutes (node)",
    },
    quiet: { "it failed a few times": { series: { [errors]: "0 0 3+0x60" }, at: "50m" } },
  },
  PortHardeningControllerNotSynced: {
    fires: {
      series: { port_hardening_controller_caches_unsynced: always(2) },
      at: "11m",
      labels: {},
      summary: "The controller lacks 2 of the lists that it needs",
    },
    quiet: { "it started": { series: { port_hardening_controller_caches_unsynced: "9 3 0+0x60" }, at: "11m" } },
  },
  PortHardeningChangesNotSeen: problem("ChangesNotSeen", "11m", "The agent of a is not told of changes"),
  PortHardeningStatusNotWritten: {
    fires: {
      series: { [writeFailures]: "0+1x60" },
      at: "30m",
      labels: target,
      summary: "The agent of a cannot write what it measures",
    },
    quiet: { "the API server was away a moment": { series: { [writeFailures]: "0 0 4+0x60" }, at: "11m" } },
  },
};
