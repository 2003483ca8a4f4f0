import { describe, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const workers = assigned(
  {
    firewall: { inbound: { allow: [{ name: "one", from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] } },
    sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" },
  },
  "workers",
);
const FLUSH = "*mangle\n-F PH-IN\nCOMMIT\n";

async function enforcing(): Promise<AgentNode> {
  const node = agentNode();
  node.assign([workers]);
  await node.pass();
  node.writes();
  return node;
}

/** Somebody flushes one of our chains and nft monitor tells of it; then the agent looks. */
async function flush(node: AgentNode, by = "process 2771 (iptables)"): Promise<number> {
  node.host.tamper(4, FLUSH);
  node.drift(by);
  return node.pass();
}
const intact = async (node: AgentNode) => (await node.kernel.verify(await desired(node), "Full")).length === 0;
/** What is there when all is right: taken from a second node. */
async function desired(node: AgentNode) {
  const { compileEnforcement } = await import("../../../src/agent/enforcement.ts");
  const { DEFAULT_NODE_SETTINGS } = await import("../../../src/plan/node-settings.ts");
  return compileEnforcement([workers], { present: node.server.groups, before: [] }, DEFAULT_NODE_SETTINGS).rules;
}
const condition = (node: AgentNode, type: string) => node.status().conditions?.find((one) => one.type === type);
/** What the metric says of repairs that do not hold. */
async function fights({ metrics }: AgentNode): Promise<number | undefined> {
  const metric = await metrics.getSingleMetric("port_hardening_node_problem")?.get();
  return metric?.values.find(({ labels }) => labels["problem"] === "Drifting")?.value;
}

describe("drift", () => {
  it("is repaired on the event, and status says when, by whom and what", async () => {
    const node = await enforcing();
    await flush(node);
    expect(await intact(node)).toBe(true);
    expect(node.status().drift).toEqual({
      count: 1,
      last: {
        at: new Date(node.clock.now).toISOString(),
        by: "process 2771 (iptables)",
        what: [expect.stringContaining("PH-IN")],
        repairedMilliseconds: 0,
      },
    });
    expect(node.status().policies).toMatchObject([{ state: "Enforced" }]);
  });

  it("counts the time from the event to the read-back", async () => {
    const node = await enforcing();
    node.host.tamper(4, FLUSH);
    node.drift("process 1 (nft)");
    node.clock.now += 40;
    await node.pass();
    expect(node.status().drift?.last?.repairedMilliseconds).toBe(40);
  });

  it("of a sysctl, which no event tells, is found within five seconds", async () => {
    const node = await enforcing();
    node.host.sysctls.set("net.ipv4.tcp_max_syn_backlog", "128");
    const end = node.clock.now + 5_000;
    while (node.clock.now <= end) node.clock.now += Math.max(1, await node.pass());
    expect(node.host.sysctls.get("net.ipv4.tcp_max_syn_backlog")).toBe("4096");
    expect(node.status().drift?.count).toBe(1);
    expect(node.status().drift?.last).not.toHaveProperty("by");
  });

  it("of one entry of a set is found within a minute", async () => {
    const node = await enforcing();
    const [set] = [...node.host.sets.listHeaders().matchAll(/^Name: (ph-4-[0-9a-f]{12})$/gm)].map(([, name]) => name);
    node.host.sets.restore(`del ${set} 192.0.2.0/24\nadd ${set} 198.51.100.0/24\n`);
    const end = node.clock.now + 60_000;
    while (node.clock.now <= end) node.clock.now += Math.max(1, await node.pass());
    expect(await intact(node)).toBe(true);
  });

  it("that is none (an event about others' rules) writes nothing and is not counted", async () => {
    const node = await enforcing();
    node.drift("process 9 (iptables-nft-re)");
    await node.pass();
    expect(node.writes()).toEqual([]);
    expect(node.status().drift).toEqual({ count: 0 });
  });

  it("events about others' rules, however many, take at most a fifth of the time", async () => {
    let looks = 0;
    const node: AgentNode = agentNode({
      wrap: (kernel) => ({
        ...kernel,
        apply: async (rules) => {
          looks += 1;
          node.clock.now += 20;
          return kernel.apply(rules);
        },
      }),
    });
    node.assign([workers]);
    await node.pass();
    looks = 0;
    for (const end = node.clock.now + 1_000; node.clock.now < end; node.clock.now += 1) {
      node.drift("process 9 (felix)");
      await node.pass();
    }
    expect(looks).toBe(10);
  });

  it("is counted on over a restart", async () => {
    const node = await enforcing();
    await flush(node);
    node.restart();
    await node.pass();
    await flush(node, "process 3 (nft)");
    expect(node.status().drift).toMatchObject({ count: 2, last: { by: "process 3 (nft)" } });
  });

  it("that comes back again and again is repaired ever later, and a condition names who does it", async () => {
    const node = await enforcing();
    for (let time = 0; time < 5; time += 1) {
      node.clock.now += 100;
      await flush(node);
    }
    expect(await intact(node)).toBe(true);
    expect(condition(node, "Drifting")).toMatchObject({
      status: "True",
      message: expect.stringContaining("process 2771 (iptables)"),
    });
    node.clock.now += 100;
    const due = await flush(node);
    expect(await intact(node)).toBe(false);
    expect(due).toBe(900);
    expect(node.status().policies).toMatchObject([
      { state: "Failed", reason: "Drifted", message: expect.stringContaining("process 2771 (iptables)") },
    ]);
    node.clock.now += due;
    await node.pass();
    expect(await intact(node)).toBe(true);
    expect(node.status().policies).toMatchObject([{ state: "Enforced" }]);
  });

  it("does not keep the agent busy while a repair waits", async () => {
    const node = await enforcing();
    for (let time = 0; time < 6; time += 1) await flush(node);
    let looks = 0;
    node.host.failWhen((step) => {
      if (step.kind === "Run") looks += 1;
      return undefined;
    });
    for (let time = 0; time < 10; time += 1) await flush(node);
    expect(looks).toBe(0);
  });

  it("ends the condition when repairs hold again", async () => {
    const node = await enforcing();
    for (let time = 0; time < 5; time += 1) await flush(node);
    expect(condition(node, "Drifting")).toBeDefined();
    expect(await fights(node)).toBe(1);
    for (const end = node.clock.now + 70_000; node.clock.now < end; ) node.clock.now += Math.max(1, await node.pass());
    expect(condition(node, "Drifting")).toBeUndefined();
    expect(await fights(node)).toBe(0);
  });

  it("that cannot be repaired fails every policy, in the tool's own words, and is retried", async () => {
    const node = await enforcing();
    node.host.failWhen((step) =>
      step.kind === "Run" && step.command.endsWith("-restore") ? new Error("no memory") : undefined,
    );
    const due = await flush(node);
    expect(node.status().policies).toMatchObject([{ state: "Failed", message: expect.stringContaining("no memory") }]);
    expect(due).toBeGreaterThan(0);
    expect(due).toBeLessThanOrEqual(1_000);
    node.host.failWhen(() => undefined);
    node.clock.now += due;
    await node.pass();
    expect(await intact(node)).toBe(true);
    expect(node.status().policies).toMatchObject([{ state: "Enforced" }]);
  });

  it("is told apart from what cannot be looked at, which is no Enforced either", async () => {
    const node = await enforcing();
    node.host.failWhen((step) => (step.kind === "Run" ? new Error("cannot fork") : undefined));
    node.clock.now += 5_000;
    await node.pass();
    expect(node.status().policies).toMatchObject([
      { state: "Failed", message: expect.stringContaining("cannot fork") },
    ]);
  });
});
