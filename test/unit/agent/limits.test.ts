import { expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { agentNode } from "./agent-node.ts";

const rate = { name: "rate", newConnections: { limit: 10, per: "Minute", burst: 20 } };
const limits = assigned({ rateLimits: [rate, { name: "standing", maxConcurrent: 9 }] }, "limits");

async function enforcing() {
  const node = agentNode();
  node.assign([limits]);
  await node.pass();
  const metrics = async () => {
    await node.reconciler().collect();
    const lines = (await node.metrics.metrics()).split("\n");
    return lines.filter((line) => line.startsWith("port_hardening_limit_"));
  };
  return { node, metrics };
}

const labels = (family: string) => `{policy="limits",limit="rate",family="${family}"}`;

it("the fill of a limit's table is told against what it holds, in each family", async () => {
  const { node, metrics } = await enforcing();
  node.host.rules[4].count(3);
  expect(await metrics()).toEqual([
    `port_hardening_limit_sources${labels("ipv4")} 1`,
    `port_hardening_limit_sources${labels("ipv6")} 0`,
    `port_hardening_limit_sources_max${labels("ipv4")} 131072`,
    `port_hardening_limit_sources_max${labels("ipv6")} 131072`,
  ]);
});

it("a limit that is gone is not told of", async () => {
  const { node, metrics } = await enforcing();
  expect(await metrics()).toHaveLength(4);
  node.assign([]);
  await node.pass();
  expect(await metrics()).toEqual([]);
});

it("tables that cannot be read leave the other metrics", async () => {
  const node = agentNode({
    wrap: (kernel) => ({ ...kernel, limitSources: () => Promise.reject(new Error("no such folder")) }),
  });
  node.assign([limits]);
  await node.pass();
  await node.reconciler().collect();
  const text = await node.metrics.metrics();
  expect(text).not.toContain("port_hardening_limit_sources{");
  expect(text).toContain('port_hardening_policy_enforced{policy="limits"} 1');
});

it("tables are read when metrics are asked for, not in a pass", async () => {
  let reads = 0;
  const node = agentNode({
    wrap: (kernel) => ({
      ...kernel,
      limitSources(tables) {
        reads += 1;
        return kernel.limitSources(tables);
      },
    }),
  });
  node.assign([limits]);
  await node.pass();
  await node.pass();
  expect(reads).toBe(0);
  await node.reconciler().collect();
  expect(reads).toBe(1);
});
