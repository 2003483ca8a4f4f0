import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { controllerMetrics } from "../../../src/controller/controller-metrics.ts";
import { stores } from "./facts.ts";

it("counts faults and Events from 0 on, so that the first one is an increase", async () => {
  const registry = new Registry();
  const metrics = controllerMetrics(registry, {
    stores: stores({}),
    queueDepth: () => 0,
    watched: ["nodes"],
    missing: () => [],
  });
  const samples = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split("\n").filter((line) => /^\w+_(?:errors|events)_total\{/.test(line));
  expect(await samples()).toEqual([
    ...["fleet", "probes", "pod-range", "node", "policy", "groups"].map(
      (kind) => `port_hardening_controller_reconcile_errors_total{kind="${kind}"} 0`,
    ),
    'port_hardening_controller_watch_errors_total{resource="nodes"} 0',
    ...["Made", "Known", "Dropped", "Failed"].map(
      (result) => `port_hardening_controller_events_total{result="${result}"} 0`,
    ),
  ]);
  metrics.countWatchError("nodes");
  expect(await samples()).toContain('port_hardening_controller_watch_errors_total{resource="nodes"} 1');
});
