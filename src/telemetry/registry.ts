import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export type { Registry } from "prom-client";

/** A registry with the metrics of the process itself and `port_hardening_build_info`. */
export function createRegistry({ component, version }: { component: string; version: string }): Registry {
  const registry = new Registry();
  // Precision is a timer of its own: the default of 10 ms would wake an idle process 100 times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  new Gauge({
    name: "port_hardening_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["component", "version", "node_version"],
    registers: [registry],
  }).set({ component, version, node_version: process.version }, 1);
  return registry;
}
