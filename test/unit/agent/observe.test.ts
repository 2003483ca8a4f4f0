import { describe, expect, it } from "vitest";
import { nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const RANGE = "net.ipv4.ip_local_port_range";
const firewall = (cidr: string) => ({
  inbound: { allow: [{ name: "one", from: [{ ipBlock: { cidr } }] }], protocols: ["TCP"] },
});
const watch = assigned({ mode: "Observe", firewall: firewall("192.0.2.0/24") }, "watch");
const firm = assigned({ firewall: firewall("198.51.100.0/24") }, "firm");

async function observing(...policies: readonly object[]) {
  const node = agentNode();
  node.assign(policies);
  await node.pass();
  return { node, base: packets(node) };
}

/** Readings come as often as all is verified. */
async function nextReading(node: AgentNode): Promise<void> {
  node.clock.now += 61_000;
  await node.pass();
}
const policyOf = (node: AgentNode, policy: string) => node.status().policies?.find(({ name }) => name === policy);
const packets = (node: AgentNode) => policyOf(node, "watch")?.wouldDropPackets ?? 0;

/** The set in which the packets of an entry are counted by address. */
async function tallyOf(node: AgentNode, entry: string): Promise<string> {
  const { stdout } = await node.host.run("iptables-nft-save", ["-t", "mangle"], { timeoutMilliseconds: 1000 });
  return new RegExp(`${entry}/.*--add-set (\\S+)`).exec(stdout)?.[1] ?? "";
}

describe("a policy that observes", () => {
  it("is enforced, with the reason Observing, and the status says what it would drop and open", async () => {
    const { node } = await observing(firm, watch);
    expect(policyOf(node, "watch")).toMatchObject({ state: "Enforced", reason: "Observing" });
    expect(policyOf(node, "firm")).toMatchObject({ state: "Enforced", reason: "Enforced" });
    expect(policyOf(node, "firm")).not.toHaveProperty("wouldDropPackets");
    node.host.rules[4].count(10);
    await nextReading(node);
    // Two rules count for an entry, and a packet meets one of them.
    expect(policyOf(node, "watch")).toMatchObject({ wouldOpenPackets: 20, droppedPackets: 0 });
    expect(policyOf(node, "firm")?.droppedPackets).toBe(10);
    expect(node.status().observed?.map(({ entry, would, packets: count }) => [entry, would, count])).toContainEqual([
      "one",
      "Open",
      20,
    ]);
    expect(nodeStateStatusSchema.safeParse(node.status()).success).toBe(true);
  });

  it("names the sources with most packets of an entry", async () => {
    const { node } = await observing(watch);
    const tally = await tallyOf(node, "watch/default");
    const add = (address: string, count: number) => `add ${tally} ${address} packets ${count} bytes 60\n`;
    node.host.sets.restore(
      add("203.0.113.1", 1) + add("203.0.113.9", 9) + add("203.0.113.5", 5) + add("203.0.113.2", 2),
    );
    node.host.rules[4].count(10);
    await nextReading(node);
    expect(node.status().observed).toEqual([
      {
        policy: "watch",
        direction: "Inbound",
        entry: "default",
        would: "Drop",
        packets: 20,
        topPeers: [
          { address: "203.0.113.9", packets: 9 },
          { address: "203.0.113.5", packets: 5 },
          { address: "203.0.113.2", packets: 2 },
        ],
      },
    ]);
  });

  it("changes no sysctl, and names those that it would change, with what is there", async () => {
    const spec = {
      mode: "Observe",
      ephemeralPorts: { range: "50000-60000", reserved: [50001] },
      sysctls: { "net.ipv4.tcp_syncookies": "1", "net.ipv4.tcp_max_syn_backlog": "4096" },
    };
    const { node } = await observing(assigned(spec, "watch"));
    expect(node.host.sysctls.get(RANGE)).toBe("32768\t60999");
    expect(node.status().wouldSet).toEqual([
      { policy: "watch", key: RANGE, value: "50000 60000", measured: "32768 60999" },
      { policy: "watch", key: "net.ipv4.tcp_max_syn_backlog", value: "4096", measured: "512" },
      { policy: "watch", key: "net.ipv4.ip_local_reserved_ports", value: "50001", measured: "" },
    ]);
    expect(nodeStateStatusSchema.safeParse(node.status()).success).toBe(true);
  });

  it("goes on counting after a restart of the agent, and forgets when it is enforced", async () => {
    const { node } = await observing(watch);
    node.host.rules[4].count(10);
    await nextReading(node);
    expect(packets(node)).toBe(20);
    node.restart();
    await node.pass();
    expect(packets(node)).toBe(20);
    node.assign([assigned({ firewall: firewall("192.0.2.0/24") }, "watch")]);
    await node.pass();
    expect(policyOf(node, "watch")).not.toHaveProperty("wouldDropPackets");
    expect(node.status()).not.toHaveProperty("observed");
  });

  it("is live in metrics", async () => {
    const { node } = await observing(watch);
    node.host.rules[6].count(3);
    await node.reconciler().collect();
    expect(await node.metrics.metrics()).toContain(
      'port_hardening_would_drop_packets_total{direction="Inbound",policy="watch",entry="default"} 6',
    );
  });

  it("leaves a status without addresses where they cannot be read", async () => {
    const node = agentNode({ wrap: (kernel) => ({ ...kernel, topAddresses: () => Promise.reject(new Error("no")) }) });
    node.assign([watch]);
    await node.pass();
    node.host.rules[4].count(1);
    await nextReading(node);
    expect(node.status().observed?.[0]).toMatchObject({ entry: "default", packets: 2, topPeers: [] });
  });
});
