import { describe, expect, it } from "vitest";
import { assigned, group } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const allow = (cidr: string) => ({
  firewall: { inbound: { allow: [{ name: "one", from: [{ ipBlock: { cidr } }] }] } },
});
const workers = assigned(allow("192.0.2.0/24"), "workers");
const workersEdited = assigned(allow("198.51.100.0/24"), "workers");
const syn = assigned({ sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" } }, "syn");

/** Our rules on the node; "" where there are none. */
function rules(node: AgentNode): string {
  return node.host.rules[4]
    .save(false)
    .split("\n")
    .filter((line) => line.includes("PH-"))
    .join("\n");
}
const state = (node: AgentNode, policy: string) => node.status().policies?.find(({ name }) => name === policy);
const ready = (node: AgentNode) => node.status().conditions?.find(({ type }) => type === "Ready");

async function enforcing(...policies: unknown[]): Promise<AgentNode> {
  const node = agentNode();
  node.assign(policies);
  await node.pass();
  expect(ready(node)).toMatchObject({ status: "True" });
  node.writes();
  return node;
}

describe("what is assigned", () => {
  it("is in the kernel after one pass, and status says what was read back", async () => {
    const node = await enforcing(workers, syn);
    expect(rules(node)).toContain("workers/one/");
    expect(node.host.sysctls.get("net.ipv4.tcp_max_syn_backlog")).toBe("4096");
    expect(node.status()).toMatchObject({
      observedGeneration: 1,
      agentVersion: "1.2.3",
      planFormats: [1],
      kernelVersion: "6.18.0",
      backend: "iptables-nft 1.8.9",
      counts: { assigned: 2, enforced: 2, failed: 0 },
      ephemeralPorts: { range: "32768-60999", reserved: "" },
      sysctls: [{ key: "net.ipv4.tcp_max_syn_backlog", value: "4096" }],
      readBackHash: expect.stringMatching(/^[0-9a-f]+$/),
      drift: { count: 0 },
    });
    expect(state(node, "workers")).toMatchObject({ hash: workers.hash, uid: workers.uid, state: "Enforced" });
  });

  it("changes nothing while the lists are not complete", async () => {
    const node = agentNode();
    node.server.synced = false;
    node.assign([workers]);
    await node.pass();
    expect(rules(node)).toBe("");
    expect(node.published).toEqual([]);
    expect(node.reconciler().notReady()).toEqual(["the node's state was not read yet"]);
  });

  it("clears the node where the NodeState exists and assigns nothing", async () => {
    const node = await enforcing(workers, syn);
    node.assign([]);
    await node.pass();
    expect(rules(node)).toBe("");
    expect(node.host.sysctls.get("net.ipv4.tcp_max_syn_backlog")).toBe("512");
    expect(ready(node)).toMatchObject({ status: "True", reason: "NothingAssigned" });
    expect(node.status().policies).toEqual([]);
  });

  it("stays cleared after a restart without the API server", async () => {
    const node = await enforcing(workers);
    node.assign([]);
    await node.pass();
    node.restart();
    node.server.synced = false;
    await node.pass();
    expect(rules(node)).toBe("");
  });

  it("is a removal where one of two policies is no longer there", async () => {
    const node = await enforcing(workers, syn);
    node.assign([syn]);
    await node.pass();
    expect(rules(node)).toBe("");
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
  });
});

const noPolicies = { generation: 2, policies: undefined, probes: [], probeAnswers: [], status: undefined };

describe("fail-static: rules stay", () => {
  it.each([
    ["where the NodeState is gone", undefined],
    ["where spec.policies is not a list", { ...noPolicies, uid: "state-1" }],
  ])("%s", async (_, nodeState) => {
    const node = await enforcing(workers);
    const before = rules(node);
    node.server.nodeState = nodeState;
    node.server.revision += 1;
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(node.writes()).toEqual([]);
  });

  it("and are repaired, where the NodeState is gone", async () => {
    const node = await enforcing(workers);
    const before = rules(node);
    node.server.nodeState = undefined;
    node.server.revision += 1;
    node.host.tamper(4, "*mangle\n-F PH-IN\nCOMMIT\n");
    node.drift();
    await node.pass();
    expect(rules(node)).toBe(before);
  });

  it("where no element is readable, nor known from before", async () => {
    const node = await enforcing(workers);
    node.directory.stored = { kind: "Unusable", reason: "cut" };
    node.restart();
    const before = rules(node);
    node.assign([{ ...workersEdited, plan: { ...workersEdited.plan, format: 9 } }]);
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(ready(node)).toMatchObject({ status: "False", reason: "SpecUnreadable" });
    expect(state(node, "workers")).toMatchObject({ state: "Failed", reason: "UnknownPlanFormat" });
  });

  it("where one element is unreadable, and nobody knows what was enforced of it", async () => {
    const node = await enforcing(workers, syn);
    node.directory.stored = { kind: "Unusable", reason: "written by a later version" };
    node.restart();
    const before = rules(node);
    node.assign([{ ...workers, plan: { ...workers.plan, format: 9 } }, syn]);
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(node.writes()).toEqual([]);
    expect(state(node, "workers")).toMatchObject({ state: "Failed", reason: "UnknownPlanFormat" });
    expect(state(node, "workers")?.message).toMatch(/reads 1: upgrade the agents; what an agent before .* stays$/);
    expect(state(node, "syn")).toMatchObject({ state: "Pending", reason: "SpecUnreadable" });
    expect(node.directory.stored).toMatchObject({ kind: "Unusable" });
    node.assign([workers, syn]);
    await node.pass();
    expect(node.writes()).toEqual([]);
    expect(node.status().counts).toEqual({ assigned: 2, enforced: 2, failed: 0 });
  });

  it("after a restart with the saved state unusable and the API server away", async () => {
    const node = await enforcing(workers);
    const before = rules(node);
    node.directory.stored = { kind: "Unusable", reason: "cut" };
    node.restart();
    node.server.synced = false;
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(node.writes()).toEqual([]);
  });
});

it("says in Ready that spec.policies is not a list", async () => {
  const node = await enforcing(workers);
  node.assign(undefined);
  await node.pass();
  expect(ready(node)).toMatchObject({
    status: "False",
    reason: "SpecUnreadable",
    message: "spec.policies of the NodeState is not a list",
  });
});

describe("a restart", () => {
  it("writes nothing, to kernel, disk or status, where all is right", async () => {
    const node = await enforcing(workers, syn);
    const status = node.status();
    const { saves } = node.directory;
    node.clock.now += 1000;
    node.restart();
    await node.pass();
    expect(node.writes()).toEqual([]);
    expect(node.directory.saves).toBe(saves);
    expect(node.status()).toEqual(status);
  });

  it("after a reboot enforces what was enforced last, though the API server is away, and without priming", async () => {
    const node = await enforcing(assigned({ ...allow("192.0.2.0/24"), sysctls: { "net.ipv4.tcp_syncookies": "2" } }));
    const rebooted = agentNode();
    rebooted.host.rules[4].restore("*mangle\n-F FORWARD\nCOMMIT\n", () => true);
    rebooted.directory.stored = node.directory.stored;
    rebooted.server.synced = false;
    await rebooted.pass();
    expect(rules(rebooted)).toContain(rules(node));
    expect(rebooted.host.sysctls.get("net.ipv4.tcp_syncookies")).toBe("2");
  });

  it("with groups keeps their addresses, though the API server is away", async () => {
    const node = agentNode();
    node.setGroups([group("office", ["203.0.113.0/24"]), group("unused", ["198.51.100.0/24"])]);
    node.assign([fromGroup("office")]);
    await node.pass();
    const saved = node.directory.stored;
    expect(saved).toMatchObject({ last: { groups: [{ name: "cluster-nodes-0" }, { name: "office" }] } });
    const rebooted = agentNode();
    rebooted.directory.stored = saved;
    rebooted.server.synced = false;
    await rebooted.pass();
    expect(sets(rebooted)).toContain("203.0.113.0/24");
  });
});

const fromGroup = (name: string) =>
  assigned({ firewall: { inbound: { allow: [{ name: "g", from: [{ addressGroup: { name } }] }] } } }, "grouped");
function sets(node: AgentNode): string {
  const names = [...node.host.sets.listHeaders().matchAll(/^Name: (\S+)$/gm)].map(([, name]) => name);
  return node.host.sets.restore(names.map((name) => `list ${name}\n`).join(""));
}

describe("a malformed element", () => {
  it("keeps its last good revision, is reported, and hurts no other", async () => {
    const node = await enforcing(workers);
    node.assign([{ ...workersEdited, hash: workers.hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) }, syn]);
    await node.pass();
    expect(rules(node)).toContain("workers/one/");
    expect(sets(node)).toContain("192.0.2.0/24");
    expect(state(node, "workers")).toMatchObject({ state: "Failed", reason: "PlanUnreadable" });
    expect(state(node, "workers")?.message).toContain(`revision ${workers.hash} stays enforced`);
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
    expect(node.status().counts).toEqual({ assigned: 2, enforced: 1, failed: 1 });
  });

  it("of which nothing was enforced leaves the others", async () => {
    const node = agentNode();
    node.assign([{ name: "broken" }, syn]);
    await node.pass();
    expect(state(node, "broken")).toMatchObject({ state: "Failed", reason: "PlanUnreadable", hash: "0", uid: "" });
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
  });

  it("without a usable name is said in Ready", async () => {
    const node = agentNode();
    node.assign([{ name: "Not A Name" }, 7, syn]);
    await node.pass();
    expect(ready(node)).toMatchObject({ status: "False", reason: "SpecUnreadable" });
    expect(ready(node)?.message).toContain("policies[0]");
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
  });
});

describe("an apply that fails", () => {
  const refuse = (node: AgentNode, words: string) =>
    node.host.failWhen((step) =>
      step.kind === "Run" && step.command.endsWith("-restore") && step.input?.includes("PH-")
        ? new Error(words)
        : undefined,
    );

  const failed = async (node: AgentNode) =>
    Number(/apply_failures_total (\d+)/.exec(await node.metrics.metrics())?.[1]);

  it("changes nothing and charges only what changed, in the tool's own words", async () => {
    const node = await enforcing(workers, syn);
    const before = rules(node);
    refuse(node, "iptables-nft-restore: no room");
    const more = assigned({ firewall: { inbound: { ports: [9100], allow: [{ name: "all" }] } } }, "more");
    node.assign([workers, syn, more]);
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(state(node, "more")).toMatchObject({ state: "Failed", message: "iptables-nft-restore: no room" });
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
    expect(ready(node)).toMatchObject({ status: "False" });
  });

  it("is retried ever later, at most after a minute, until it works", async () => {
    const node = await enforcing(syn);
    refuse(node, "no room");
    node.assign([syn, workers]);
    const attempts: number[] = [];
    let failures = await failed(node);
    const end = node.clock.now + 600_000;
    while (node.clock.now < end) {
      node.clock.now += Math.max(1, await node.pass());
      if ((await failed(node)) === failures) continue;
      failures = await failed(node);
      attempts.push(node.clock.now);
    }
    const waits = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0));
    expect(waits.length).toBeGreaterThan(8);
    expect(waits.at(0)).toBeLessThan(5_000);
    expect(waits.at(-1)).toBeGreaterThan(25_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(65_000);
    node.host.failWhen(() => undefined);
    node.clock.now += 60_000;
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
  });

  it("is tried anew at once with a new plan", async () => {
    const node = await enforcing(syn);
    refuse(node, "no room");
    node.assign([syn, workers]);
    for (let attempt = 0; attempt < 6; attempt += 1) node.clock.now += Math.max(1, await node.pass());
    node.host.failWhen(() => undefined);
    node.assign([syn, workersEdited]);
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced", hash: workersEdited.hash });
  });

  it("looks at once whether what was enforced before still stands, and repairs it", async () => {
    const node = await enforcing(workers);
    const before = rules(node);
    node.assign([workers, assigned({ firewall: { inbound: { ports: [9100] } } }, "more")]);
    node.host.tamper(4, "*mangle\n-F PH-IN\nCOMMIT\n");
    node.host.failWhen((step) =>
      step.kind === "Run" && step.input?.includes("9100") ? new Error("no room") : undefined,
    );
    await node.pass();
    expect(rules(node)).toBe(before);
    expect(state(node, "more")).toMatchObject({ state: "Failed" });
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
  });

  it("for a group's edit charges every policy, as no revision changed", async () => {
    const node = agentNode();
    node.setGroups([group("office", ["203.0.113.0/24"])]);
    node.assign([fromGroup("office")]);
    await node.pass();
    node.host.failWhen((step) =>
      step.kind === "Run" && step.input?.includes("198.51.100.0") ? new Error("full") : undefined,
    );
    node.setGroups([group("office", ["198.51.100.0/24"])]);
    await node.pass();
    expect(state(node, "grouped")).toMatchObject({ state: "Failed", message: "full" });
  });

  it("says which tool is missing, in status and readiness, and starts once it is there", async () => {
    const node = agentNode();
    const missing = new Error("ipset is not installed: install the package ipset");
    node.host.failWhen((step) => (step.kind === "Run" && step.command === "ipset" ? missing : undefined));
    node.assign([workers]);
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Failed", message: missing.message });
    expect(node.reconciler().notReady()).toEqual([missing.message]);
    node.host.failWhen(() => undefined);
    node.clock.now += 5_000;
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
    expect(node.reconciler().notReady()).toEqual([]);
  });
});

describe("the first enforcement", () => {
  const withoutConntrack = () => {
    const node = agentNode({ primeSeconds: 30 });
    node.host.rules[4].restore("*mangle\n-F FORWARD\nCOMMIT\n", () => true);
    return node;
  };

  it("waits while conntrack, just begun, learns the connections under way", async () => {
    const node = withoutConntrack();
    node.assign([workers]);
    expect(await node.pass()).toBe(30_000);
    expect(rules(node)).not.toContain("workers");
    expect(state(node, "workers")).toMatchObject({ state: "Pending", reason: "Priming" });
    node.clock.now += 29_999;
    await node.pass();
    expect(rules(node)).not.toContain("workers");
    node.clock.now += 1;
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
  });

  it("applies the newest plan when the wait is over, and at once where that judges nothing", async () => {
    const node = withoutConntrack();
    node.assign([workers]);
    await node.pass();
    node.assign([syn]);
    await node.pass();
    expect(state(node, "syn")).toMatchObject({ state: "Enforced" });
    expect(rules(node)).toBe("");
  });

  it("does not wait where conntrack is active, nor where inbound is judged already", async () => {
    const node = await enforcing(workers);
    node.host.rules[4].restore("*mangle\n-F FORWARD\nCOMMIT\n", () => true);
    node.assign([workersEdited]);
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced", hash: workersEdited.hash });
  });
});

describe("address groups", () => {
  it("apply at once, with no new revision", async () => {
    const node = agentNode();
    node.setGroups([group("office", ["203.0.113.0/24"])]);
    node.assign([fromGroup("office")]);
    await node.pass();
    node.setGroups([group("office", ["203.0.113.0/24", "198.51.100.0/24"])]);
    await node.pass();
    expect(sets(node)).toContain("198.51.100.0/24");
  });

  it("of the cluster keep theirs when a whole role is gone, and lose a shard that is really gone", async () => {
    const nodes = (shard: number, ...addresses: string[]) =>
      group(`cluster-nodes-${shard}`, addresses, { "porthardening.io/cluster": "nodes" });
    const node = agentNode();
    node.setGroups([], [nodes(0, "198.18.0.1/32"), nodes(1, "198.18.0.2/32")]);
    node.assign([workers]);
    await node.pass();
    node.setGroups([], [nodes(0, "198.18.0.1/32")]);
    await node.pass();
    expect(sets(node)).not.toContain("198.18.0.2");
    node.setGroups([], []);
    await node.pass();
    expect(sets(node)).toContain("198.18.0.1");
  });

  it("of the cluster are waited for: traffic is not judged before it is known who the cluster is", async () => {
    const node = agentNode();
    node.setGroups([], []);
    node.assign([workers]);
    await node.pass();
    expect(rules(node)).not.toContain("PH-");
    expect(state(node, "workers")).toMatchObject({ state: "Pending" });
    expect(node.status().conditions).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "False", reason: "ClusterAddressesMissing" }),
    );
    node.setGroups([]);
    await node.pass();
    expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
  });
});

it("says that it does not see changes, while it enforces what it saw last", async () => {
  const node = agentNode();
  node.assign([workers]);
  await node.pass();
  node.server.refusals = ["changes of address groups: cannot watch"];
  await node.pass();
  const notSeen = () => node.status().conditions?.find(({ type }) => type === "ChangesNotSeen");
  expect(notSeen()).toMatchObject({ status: "True", reason: "Forbidden" });
  expect(notSeen()?.message).toMatch(/address groups: cannot watch; .* helm upgrade/);
  expect(state(node, "workers")).toMatchObject({ state: "Enforced" });
  node.server.refusals = [];
  await node.pass();
  expect(notSeen()).toBeUndefined();
});

describe("the saved state", () => {
  it("that cannot be written keeps no node from being cleared, is said, and is retried", async () => {
    const node = agentNode();
    node.assign([workers]);
    await node.pass();
    node.directory.refuse = new Error("ENOSPC: no space left on device");
    node.assign([]);
    await node.pass();
    await node.pass();
    expect(node.host.rules[4].matches("PH-")).toBe(false);
    const unsaved = () => node.status().conditions?.find(({ type }) => type === "StateNotSaved");
    expect(unsaved()).toMatchObject({ status: "True", message: expect.stringContaining("ENOSPC") });
    node.directory.refuse = undefined;
    node.clock.now += 2_000;
    await node.pass();
    await node.pass();
    expect(node.directory.saves).toBe(1);
    expect(unsaved()).toBeUndefined();
  });
});
