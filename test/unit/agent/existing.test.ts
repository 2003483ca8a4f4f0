import { describe, expect, it } from "vitest";
import { ToolMissingError } from "../../../src/kernel/errors.ts";
import { assigned, group } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const node4 = "198.18.0.11";
const stranger = "192.0.2.9";
const line = (source: string, port: number, destinationPort = 8443) =>
  `tcp      6 431999 ESTABLISHED src=${source} dst=${node4} sport=${port} dport=${destinationPort} src=${node4} dst=${source} sport=${destinationPort} dport=${port} [ASSURED] mark=0 use=1`;

const workers = (existing: string, firewall: object = {}) =>
  assigned({ firewall: { existing, inbound: { ...firewall } } }, "workers");
const FIVE_MINUTES = 300_000;

async function enforcing(existing: string, connections = [line(stranger, 4000), line(stranger, 4001)]) {
  const node = agentNode();
  node.host.network.listening = [8443, 22];
  node.host.network.connections = { 4: [...connections, line(stranger, 5000, 22)], 6: [] };
  node.assign([workers(existing)]);
  await node.pass();
  return node;
}

const said = (node: AgentNode) => node.status().policies?.[0]?.existingConnections;
const cutSet = async (node: AgentNode) => (await node.kernel.setEntries(["ph-cut-in-4"])).get("ph-cut-in-4");

describe("existing connections", () => {
  it("are counted in the first status, with who they are, and as a metric", async () => {
    const node = await enforcing("Keep");
    const top = [{ direction: "Inbound", peer: stranger, protocol: "TCP", port: 8443, connections: 2 }];
    expect(node.published[0]?.policies?.[0]?.existingConnections).toEqual({ kept: 2, cut: 0, top });
    expect(await cutSet(node)).toBeUndefined();
    const metrics = await node.metrics.metrics();
    expect(metrics).toContain('port_hardening_existing_connections{policy="workers",fate="kept"} 2');
  });

  it("are counted a moment after a change, so that what the change itself has to do comes first", async () => {
    const node = await enforcing("Keep");
    node.assign([workers("Keep"), { ...workers("Keep"), name: "another" }]);
    let looks = 0;
    node.host.failWhen((step) => {
      if (step.kind === "Run" && step.command === "conntrack") looks += 1;
      return undefined;
    });
    expect(await node.pass()).toBeLessThanOrEqual(1_000);
    expect(node.status().policies).toMatchObject([{ state: "Enforced" }, { state: "Enforced" }]);
    expect(looks).toBe(0);
    node.clock.now += 1_000;
    await node.pass();
    expect(looks).toBeGreaterThan(0);
  });

  it("that a policy cuts are in a set when its enforcement is said", async () => {
    const node = await enforcing("Cut");
    const cut = { state: "Enforced", existingConnections: { kept: 0, cut: 2 } };
    expect(node.published[0]?.policies).toMatchObject([cut]);
    expect(await cutSet(node)).toEqual([`${stranger},tcp:8443,${node4}`]);
  });

  it("are looked for again while there are some, and no more when there are none", async () => {
    const node = await enforcing("Keep");
    const lists = countLists(node);
    await node.pass();
    expect(lists()).toBe(0);
    node.host.network.connections = { 4: [line(stranger, 4000)], 6: [] };
    node.clock.now += FIVE_MINUTES;
    await node.pass();
    expect([lists(), said(node)?.kept]).toEqual([2, 1]);
    node.host.network.connections = { 4: [], 6: [] };
    node.clock.now += FIVE_MINUTES;
    await node.pass();
    expect([lists(), said(node)]).toEqual([2, { kept: 0, cut: 0, top: [] }]);
    node.clock.now += 10 * FIVE_MINUTES;
    await node.pass();
    expect(lists()).toBe(0);
  });

  it("are cut at once when a group that a deny names grows", async () => {
    const node = agentNode();
    node.host.network.listening = [8443];
    node.host.network.connections = { 4: [line(stranger, 4000)], 6: [] };
    const deny = [{ name: "bad", from: [{ addressGroup: { name: "blocklist" } }] }];
    node.assign([workers("Cut", { defaultAction: "Allow", deny })]);
    node.setGroups([group("blocklist", ["203.0.113.0/24"])]);
    await node.pass();
    expect(await cutSet(node)).toEqual([]);
    node.setGroups([group("blocklist", ["203.0.113.0/24", `${stranger}/32`])]);
    await node.pass();
    expect(await cutSet(node)).toEqual([`${stranger},tcp:8443,${node4}`]);
  });

  it("stay cut over a restart though conntrack has forgotten them, until they are allowed", async () => {
    const node = await enforcing("Cut");
    node.host.network.connections = { 4: [], 6: [] };
    node.writes();
    node.restart();
    await node.pass();
    expect([node.writes(), (await cutSet(node))?.length]).toEqual([[], 1]);
    node.assign([workers("Cut", { allow: [{ name: "all" }] })]);
    await node.pass();
    expect(await cutSet(node)).toEqual([]);
  });

  it("are looked for after a repair: somebody may have come in meanwhile", async () => {
    const node = await enforcing("Cut", []);
    node.host.network.connections = { 4: [line(stranger, 4000)], 6: [] };
    node.host.tamper(4, "*mangle\n-F PH-IN\nCOMMIT\n");
    node.drift();
    await node.pass();
    expect(await cutSet(node)).toHaveLength(1);
  });

  it("leave no set behind when no policy cuts any more", async () => {
    const node = await enforcing("Cut");
    node.assign([workers("Keep")]);
    await node.pass();
    expect(await cutSet(node)).toBeUndefined();
    node.clock.now += 1_000;
    await node.pass();
    expect(said(node)).toMatchObject({ kept: 2, cut: 0 });
  });

  it("that cannot be read hinder no enforcement, and status says so until they can", async () => {
    const node = agentNode();
    const missing = new ToolMissingError("conntrack", "conntrack");
    node.host.failWhen((step) => (step.kind === "Run" && step.command === "conntrack" ? missing : undefined));
    node.assign([workers("Cut")]);
    await node.pass();
    expect(node.status().policies?.[0]).toMatchObject({ state: "Enforced" });
    expect(node.status().conditions).toMatchObject([
      { type: "Ready", status: "True" },
      { type: "ExistingUnknown", reason: "ToolMissingFailed", message: expect.stringContaining("install the package") },
    ]);
    node.host.failWhen(() => undefined);
    node.clock.now += 60_000;
    await node.pass();
    expect(node.status().conditions).toMatchObject([{ type: "Ready", status: "True" }]);
  });

  it("are nobody's where nothing judges traffic", async () => {
    const node = agentNode();
    const lists = countLists(node);
    node.assign([assigned({ sysctls: { "net.ipv4.tcp_syncookies": "1" } }, "quiet")]);
    await node.pass();
    expect([lists(), said(node)]).toEqual([0, undefined]);
  });
});

/** How often conntrack was asked since the last call. */
function countLists(node: AgentNode): () => number {
  let lists = 0;
  node.host.failWhen((step) => {
    if (step.kind === "Run" && step.command === "conntrack") lists += 1;
    return undefined;
  });
  return () => {
    const seen = lists;
    lists = 0;
    return seen;
  };
}
