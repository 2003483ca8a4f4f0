import type { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { agentMetrics } from "../../../src/agent/agent-metrics.ts";
import { auditMetrics } from "../../../src/agent/audit-metrics.ts";
import { controllerMetrics } from "../../../src/controller/controller-metrics.ts";
import { leaderMetric } from "../../../src/controller/leader-metric.ts";
import { createRegistry } from "../../../src/telemetry/registry.ts";
import { documentedMetrics } from "../../monitoring/documented-metrics.ts";
import { stores } from "../controller/facts.ts";

const documented = documentedMetrics();

/** What a registry holds, as the documentation writes it; without what Node says of itself. */
async function registered(registry: Registry): Promise<object> {
  const metrics = await registry.getMetricsAsJSON();
  const own = metrics.map(({ name }) => name).filter((name) => !/^(?:process|nodejs)_/.test(name));
  return Object.fromEntries(
    own.map((name) => {
      // Not part of prom-client's types, but of its objects: what labels a metric may have.
      const metric = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
      const type = String(metrics.find((one) => one.name === name)?.type);
      return [name, { type, labels: metric.labelNames.filter((label) => label !== "le").toSorted() }];
    }),
  );
}

function written(component: string): object {
  const rows = [...(documented.get(component) ?? []), ...(documented.get("Both") ?? [])];
  return Object.fromEntries(
    rows.map(([name, { type, labels }]) => [name, { type, labels: labels.toSorted() }] as const),
  );
}

describe("docs/metrics.md", () => {
  it("has each metric of the agent, with type and labels, and no other", async () => {
    const registry = createRegistry({ component: "agent", version: "1" });
    agentMetrics(registry);
    auditMetrics(registry);
    expect(await registered(registry)).toEqual(written("Agent"));
  });

  it("has each metric of the controller, with type and labels, and no other", async () => {
    const registry = createRegistry({ component: "controller", version: "1" });
    leaderMetric(registry);
    controllerMetrics(registry, { stores: stores({}), queueDepth: () => 0, watched: [], missing: () => [] });
    expect(await registered(registry)).toEqual(written("Controller"));
  });
});
