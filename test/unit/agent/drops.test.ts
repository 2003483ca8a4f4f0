import { describe, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { agentNode } from "./agent-node.ts";

const inbound = (cidr: string) => ({ allow: [{ name: "one", from: [{ ipBlock: { cidr } }] }], protocols: ["TCP"] });
const workers = (cidr: string) => assigned({ firewall: { inbound: inbound(cidr) } }, "workers");

async function enforcing() {
  const node = agentNode();
  node.assign([workers("192.0.2.0/24")]);
  await node.pass();
  const drops = async () => {
    await node.reconciler().collect();
    await node.pass();
    return node.status().policies?.[0]?.droppedPackets ?? 0;
  };
  const base = await drops();
  return { node, drops: async () => (await drops()) - base };
}

describe("dropped packets", () => {
  it("are those of rules that drop, not of those that let pass", async () => {
    const { node, drops } = await enforcing();
    // One default rule a family drops; the allow rules carry comments too.
    node.host.rules[4].count(10);
    expect(await drops()).toBe(10);
    const metrics = await node.metrics.metrics();
    expect(metrics).toContain(
      'port_hardening_dropped_packets_total{direction="Inbound",policy="workers",entry="default"} 10',
    );
    expect(metrics).not.toContain('entry="one"');
  });

  it("tell apart what came in and what went out", async () => {
    const node = agentNode();
    node.assign([assigned({ firewall: { inbound: {}, outbound: { protocols: ["TCP"] } } }, "workers")]);
    await node.pass();
    node.host.rules[4].count(10);
    await node.reconciler().collect();
    const metrics = await node.metrics.metrics();
    const total = (direction: string) =>
      new RegExp(`packets_total\\{direction="${direction}",policy="workers",entry="default"\\} (\\d+)`).exec(
        metrics,
      )?.[1];
    expect([total("Inbound"), total("Outbound")]).toEqual(["20", "10"]);
  });

  it("only ever grow, though the kernel counts from 0 again where rules are rewritten", async () => {
    const { node, drops } = await enforcing();
    node.host.rules[4].count(10);
    expect(await drops()).toBe(10);
    node.host.rules[4].count(5);
    node.host.tamper(4, "*mangle\n-F PH-IN\nCOMMIT\n");
    node.drift();
    await node.pass();
    const seen = await drops();
    expect(seen).toBeGreaterThanOrEqual(10);
    node.assign([workers("198.51.100.0/24")]);
    await node.pass();
    expect(await drops()).toBeGreaterThanOrEqual(seen);
    node.host.rules[4].count(3);
    expect(await drops()).toBe(seen + 3);
  });

  it("do not shrink when the agent restarts, though rules were rewritten before", async () => {
    const { node } = await enforcing();
    const dropped = () => node.status().policies?.[0]?.droppedPackets ?? 0;
    node.host.rules[4].count(10);
    await node.reconciler().collect();
    node.assign([workers("198.51.100.0/24")]);
    await node.pass();
    const before = dropped();
    expect(before).toBeGreaterThanOrEqual(10);
    node.restart();
    await node.pass();
    expect(dropped()).toBe(before);
    node.host.rules[4].count(4);
    await node.reconciler().collect();
    await node.pass();
    expect(dropped()).toBe(before + 4);
  });

  it("are not counted twice when the agent restarts and the rules stay", async () => {
    const { node } = await enforcing();
    node.host.rules[4].count(10);
    await node.reconciler().collect();
    await node.pass();
    const before = node.status().policies?.[0]?.droppedPackets;
    node.restart();
    await node.pass();
    await node.reconciler().collect();
    await node.pass();
    expect(node.status().policies?.[0]?.droppedPackets).toBe(before);
  });

  it("of a policy that is gone are forgotten", async () => {
    const { node } = await enforcing();
    node.host.rules[4].count(10);
    await node.reconciler().collect();
    node.assign([]);
    await node.pass();
    await node.reconciler().collect();
    expect(await node.metrics.metrics()).not.toContain('policy="workers"');
  });
});
