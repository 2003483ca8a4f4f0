import { describe, expect, it } from "vitest";
import { nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const inbound = { protocols: ["TCP"], ports: [8443] };
const monitoring = { dropLog: { perMinute: 60 } };
const firm = assigned({ firewall: { inbound }, monitoring }, "firm");
const plain = assigned({ firewall: { inbound } }, "plain");

async function enforcing(...policies: readonly object[]) {
  const node = agentNode();
  node.assign(policies);
  await node.pass();
  return node;
}

async function lookAfter(node: AgentNode, milliseconds: number): Promise<number> {
  node.clock.now += milliseconds;
  return node.pass();
}

const setOf = (node: AgentNode) => node.host.sets.listHeaders().match(/ph-d4-\S+/)?.[0] ?? "";
const drop = (node: AgentNode, address: string, packets: number) => {
  node.host.rules[4].count(packets);
  node.host.sets.restore(`add ${setOf(node)} ${address} packets ${packets} bytes 60\n`);
};
const lines = (node: AgentNode) => node.logged().filter(({ msg }) => String(msg).startsWith("dropped"));

describe("an agent with a policy that logs drops", () => {
  it("says within seconds who was dropped, once", async () => {
    const node = await enforcing(firm);
    drop(node, "192.0.2.1,tcp:8443", 3);
    expect(await lookAfter(node, 3_000)).toBeLessThanOrEqual(3_000);
    const line = {
      policy: "firm",
      entry: "default",
      direction: "Inbound",
      source: "192.0.2.1",
      protocol: "TCP",
      port: 8443,
    };
    expect(lines(node)).toEqual([expect.objectContaining({ ...line, packets: 3, level: "info", msg: "dropped" })]);
    await lookAfter(node, 3_000);
    expect(lines(node)).toHaveLength(1);
  });

  it("tells of a first drop in status at once, by the entry, with the sources", async () => {
    const node = await enforcing(firm, plain);
    expect(node.status()).not.toHaveProperty("dropped");
    drop(node, "192.0.2.1,tcp:8443", 3);
    drop(node, "192.0.2.1,6:8443", 1);
    drop(node, "192.0.2.2,udp:8443", 2);
    await lookAfter(node, 3_000);
    const found = { direction: "Inbound", entry: "default", packets: 6 };
    expect(node.status().dropped).toEqual([
      {
        policy: "firm",
        ...found,
        topPeers: [
          { address: "192.0.2.1", packets: 4 },
          { address: "192.0.2.2", packets: 2 },
        ],
      },
      { policy: "plain", ...found },
    ]);
    expect(nodeStateStatusSchema.safeParse(node.status()).success).toBe(true);
    await node.reconciler().collect();
    expect(await node.metrics.metrics()).not.toContain("192.0.2.1");
  });

  it("goes on over a restart, and over an edit of the entry", async () => {
    const node = await enforcing(firm);
    drop(node, "192.0.2.1,tcp:8443", 3);
    await lookAfter(node, 3_000);
    node.restart();
    await node.pass();
    const peer = { address: "192.0.2.1", packets: 3 };
    expect(node.status().dropped).toMatchObject([{ packets: 3, topPeers: [peer] }]);
    drop(node, "192.0.2.2,tcp:8443", 2);
    node.assign([assigned({ firewall: { inbound: { ...inbound, ports: [9000] } }, monitoring }, "firm")]);
    await node.pass();
    // It was read before its set went with the rule.
    expect(node.status().dropped).toMatchObject([
      { packets: 5, topPeers: [peer, { address: "192.0.2.2", packets: 2 }] },
    ]);
    await lookAfter(node, 3_000);
    expect(lines(node).map(({ source }) => source)).toContain("192.0.2.2");
  });

  it("is quiet where nobody is dropped, where nobody asks, and where the policy observes", async () => {
    const node = await enforcing(firm);
    await lookAfter(node, 3_000);
    expect(lines(node)).toEqual([]);
    for (const policy of [plain, assigned({ mode: "Observe", firewall: { inbound }, monitoring }, "firm")]) {
      const other = await enforcing(policy);
      expect(setOf(other)).toBe("");
      other.host.rules[4].count(2);
      expect(await lookAfter(other, 3_000)).toBeLessThanOrEqual(5_000);
      expect(lines(other)).toEqual([]);
    }
  });

  it("rewrites no rule where only the number of lines changes", async () => {
    const node = await enforcing(firm);
    node.writes();
    node.assign([assigned({ firewall: { inbound }, monitoring: { dropLog: { perMinute: 1 } } }, "firm")]);
    await node.pass();
    expect(node.status().policies).toMatchObject([{ state: "Enforced" }]);
    expect(node.writes().filter((command) => command !== "ipset")).toEqual([]);
  });

  it("forgets a policy that is gone", async () => {
    const node = await enforcing(firm, plain);
    drop(node, "192.0.2.1,tcp:8443", 3);
    await lookAfter(node, 3_000);
    node.assign([plain]);
    await node.pass();
    expect(node.status().dropped?.map(({ policy }) => policy)).toEqual(["plain"]);
  });

  it("goes on where a set cannot be read", async () => {
    const node = agentNode({ wrap: (kernel) => ({ ...kernel, takeDropped: () => Promise.reject(new Error("no")) }) });
    node.assign([firm]);
    await node.pass();
    node.host.rules[4].count(2);
    await lookAfter(node, 61_000);
    expect(node.status().dropped).toMatchObject([{ policy: "firm", packets: 2, topPeers: [] }]);
    expect(node.logged().some(({ level, msg }) => level === "warn" && msg === "who was dropped not read")).toBe(true);
  });
});
