import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { EVENT_RESULTS, type EventResult } from "./event-recorder.ts";
import type { ReportedPolicy } from "./node-state-facts.ts";
import { policyMetrics } from "./policy-metrics.ts";
import type { ControllerStores } from "./stores.ts";

/** What a pass is about; the first part of a key. */
const KINDS = ["fleet", "probes", "pod-range", "node", "policy", "groups"] as const;
export type ReconcileKind = (typeof KINDS)[number];

export interface ControllerMetrics {
  observePass(kind: ReconcileKind, seconds: number): void;
  countError(kind: ReconcileKind): void;
  countWatchError(resource: string): void;
  countEvent(result: EventResult): void;
}

/** Labels are bounded: kinds of work, resources, reasons and policies, never names of nodes. */
export function controllerMetrics(
  registry: Registry,
  view: {
    readonly stores: ControllerStores;
    readonly queueDepth: () => number;
    /** What the caches rest on. */
    readonly watched: readonly string[];
    /** Those that are not complete, or not followed. */
    readonly missing: () => readonly string[];
  },
): ControllerMetrics {
  const registers = [registry];
  const passes = new Histogram({
    name: "port_hardening_controller_reconcile_duration_seconds",
    help: "Duration of a reconcile pass, failed ones included.",
    labelNames: ["kind"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    registers,
  });
  const errors = new Counter({
    name: "port_hardening_controller_reconcile_errors_total",
    help: "Reconcile passes that failed and will be repeated.",
    labelNames: ["kind"],
    registers,
  });
  // That the first one counts as an increase, it is said before.
  for (const kind of KINDS) errors.inc({ kind }, 0);
  const watchErrors = new Counter({
    name: "port_hardening_controller_watch_errors_total",
    help: "Faults of the lists and watches that the caches rest on.",
    labelNames: ["resource"],
    registers,
  });
  for (const resource of view.watched) watchErrors.inc({ resource }, 0);
  const events = new Counter({
    name: "port_hardening_controller_events_total",
    help: "Events for people. Known: it was there already. Dropped: over the rate, summed up at the policy.",
    labelNames: ["result"],
    registers,
  });
  for (const result of EVENT_RESULTS) events.inc({ result }, 0);
  new Gauge({
    name: "port_hardening_controller_queue_depth",
    help: "Keys that wait for their pass.",
    registers,
    collect() {
      this.set(view.queueDepth());
    },
  });
  new Gauge({
    name: "port_hardening_policies",
    help: "Policies by the status that they show.",
    labelNames: ["status"],
    registers,
    collect() {
      this.reset();
      for (const { status } of view.stores.policies.list()) this.inc({ status: status?.status ?? "None" });
    },
  });
  new Gauge({
    name: "port_hardening_nodes",
    help: "Nodes by the worst state of their policies; None where no policy is assigned.",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      for (const { assigned, reported } of view.stores.nodeStates.list()) {
        this.inc({ state: assigned.length === 0 ? "None" : worst(reported.map(({ state }) => state)) });
      }
    },
  });
  new Gauge({
    name: "port_hardening_controller_caches_unsynced",
    help: "Caches without a first complete list, or that the API server does not let the controller follow any more.",
    registers,
    collect() {
      this.set(view.missing().length);
    },
  });
  policyMetrics(registry, () => view.stores.policies);
  return {
    observePass: (kind, seconds) => passes.observe({ kind }, seconds),
    countError: (kind) => errors.inc({ kind }),
    countWatchError: (resource) => watchErrors.inc({ resource }),
    countEvent: (result) => events.inc({ result }),
  };
}

function worst(states: readonly ReportedPolicy["state"][]): string {
  if (states.includes("RolledBack")) return "Failed";
  for (const state of ["Failed", "NotEnforceable"] as const) if (states.includes(state)) return state;
  return states.length === 0 || states.includes("Pending") ? "Pending" : "Enforced";
}
