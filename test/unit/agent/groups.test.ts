import { describe, expect, it } from "vitest";
import { assigned, group, nodesGroup } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

type Peers = readonly object[];
const allowing = (...from: Peers) => assigned({ firewall: { inbound: { allow: [{ name: "e", from }] } } }, "p");
const denying = (...from: Peers) => assigned({ firewall: { inbound: { deny: [{ name: "e", from }] } } }, "p");
const exempting = (...exempt: Peers) => assigned({ rateLimits: [{ name: "e", maxConcurrent: 9, exempt }] }, "p");

const byName = { addressGroup: { name: "list" } };
const byLabel = { addressGroup: { selector: { matchLabels: { list: "a" } } } };
const list = (...addresses: string[]) => group("list", addresses, { list: "a" });
const monitoring = { matchLabels: { role: "monitoring" } };
const monitors = (...addresses: string[]) => nodesGroup(monitoring, addresses);

function sets(node: AgentNode): string {
  const names = [...node.host.sets.listHeaders().matchAll(/^Name: (\S+)$/gm)].map(([, name]) => name);
  return node.host.sets.restore(names.map((name) => `list ${name}\n`).join(""));
}
const said = (node: AgentNode, name = "p") => node.status().policies?.find((policy) => policy.name === name);
const ready = (node: AgentNode) => node.status().conditions?.find(({ type }) => type === "Ready");

/** A node that enforces `policy` with these groups. */
async function enforcing(policy: unknown, ...groups: ReturnType<typeof group>[]): Promise<AgentNode> {
  const node = agentNode();
  node.setGroups(groups);
  node.assign([policy]);
  await node.pass();
  expect(said(node)).toMatchObject({ state: "Enforced", reason: "Enforced" });
  return node;
}

describe("what a policy knows by a group", () => {
  it.each([
    ["allow by name", allowing(byName)],
    ["allow by label", allowing(byLabel)],
    ["exemption by name", exempting(byName)],
    ["exemption by label", exempting(byLabel)],
    ["deny by name", denying(byName)],
    ["deny by label", denying(byLabel)],
  ])("stays as it was last when the group is deleted: %s", async (_what, policy) => {
    const node = await enforcing(policy, list("203.0.113.0/24"));
    node.setGroups([]);
    await node.pass();
    expect(sets(node)).toContain("203.0.113.0/24");
    expect(said(node)).toMatchObject({ state: "Enforced", reason: "AddressGroupMissing" });
    expect(said(node)?.message).toMatch(/gone.* stay /);
    node.restart();
    await node.pass();
    expect(sets(node)).toContain("203.0.113.0/24");
    node.setGroups([list("198.51.100.0/24")]);
    await node.pass();
    expect(sets(node)).not.toContain("203.0.113.0/24");
    expect(said(node)).toMatchObject({ reason: "Enforced" });
  });

  it.each([
    ["is kept in an allow: its loss would cut traffic", allowing(byName), true, "AddressGroupMissing"],
    ["is kept past a limit, too", exempting(byLabel), true, "AddressGroupMissing"],
    ["lets everybody on a blocklist in again at once", denying(byName), false, "Enforced"],
    ["does so by label, too", denying(byLabel), false, "Enforced"],
  ])("when the group is emptied %s", async (_what, policy, kept, reason) => {
    const node = await enforcing(policy, list("203.0.113.0/24"));
    node.setGroups([list()]);
    await node.pass();
    expect(sets(node).includes("203.0.113.0/24")).toBe(kept);
    expect(said(node)).toMatchObject({ reason });
  });

  it.each([
    ["allow", allowing(byLabel)],
    ["deny", denying(byLabel)],
  ])("is the rest where one of several groups goes or loses the label: %s", async (_what, policy) => {
    const other = group("other", ["198.51.100.0/24"], { list: "a" });
    const node = await enforcing(policy, list("203.0.113.0/24"), other);
    node.setGroups([other]);
    await node.pass();
    expect(sets(node)).not.toContain("203.0.113.0/24");
    node.setGroups([{ ...other, labels: {} }]);
    await node.pass();
    expect(sets(node)).not.toContain("198.51.100.0/24");
  });

  it.each([
    ["allow", allowing(byName)],
    ["deny", denying(byName)],
  ])("is nothing where the group never existed: %s", async (_what, policy) => {
    const node = agentNode();
    node.assign([policy]);
    await node.pass();
    expect(said(node)).toMatchObject({ state: "Enforced", reason: "AddressGroupMissing" });
    expect(said(node)?.message).toContain("there is none, so it matches nothing");
  });
});

describe("nodes as peers", () => {
  const other = assigned({ firewall: { inbound: { allow: [{ name: "o" }] } } }, "other");

  it.each([
    ["an allow", allowing({ nodes: monitoring })],
    ["a deny", denying({ nodes: monitoring })],
    ["an exemption", exempting({ nodes: monitoring })],
  ])("of %s are waited for: nothing is enforced before their addresses are published", async (_where, policy) => {
    const node = agentNode();
    node.assign([policy, other]);
    await node.pass();
    expect(node.host.rules[4].save(false)).not.toContain("PH-");
    expect(ready(node)).toMatchObject({ status: "False", reason: "NodeAddressesMissing" });
    expect(ready(node)?.message).toContain('policy p: nodes selected by {"matchLabels":{"role":"monitoring"}}');
    expect([said(node), said(node, "other")]).toMatchObject([
      { state: "Pending", reason: "NodeAddressesMissing", message: ready(node)?.message },
      { state: "Pending", reason: "NodeAddressesMissing" },
    ]);
    node.setGroups([monitors("198.18.0.7/32")]);
    await node.pass();
    expect(sets(node)).toContain("198.18.0.7");
    expect(said(node)).toMatchObject({ state: "Enforced", reason: "Enforced" });
  });

  it("that a new revision names leave the one before in force until they are published, over a restart too", async () => {
    const node = await enforcing(allowing(byName), list("203.0.113.0/24"));
    node.assign([allowing({ nodes: monitoring })]);
    for (const act of [() => undefined, node.restart]) {
      act();
      await node.pass();
      expect(sets(node)).toContain("203.0.113.0/24");
      expect(ready(node)).toMatchObject({ status: "False", reason: "NodeAddressesMissing" });
    }
    node.setGroups([monitors()]);
    await node.pass();
    expect(sets(node)).not.toContain("203.0.113.0/24");
  });

  it("that come and go change a set and no rule; the last one that goes leaves nobody, and nothing is missing", async () => {
    const node = await enforcing(allowing({ nodes: monitoring }), monitors("198.18.0.7/32"));
    const rules = node.host.rules[4].save(false);
    node.setGroups([monitors("198.18.0.7/32", "198.18.0.8/32")]);
    await node.pass();
    expect(sets(node)).toContain("198.18.0.8");
    node.setGroups([monitors()]);
    await node.pass();
    expect(sets(node)).not.toContain("198.18.0.7");
    expect(node.host.rules[4].save(false)).toBe(rules);
    expect(said(node)).toMatchObject({ state: "Enforced", reason: "Enforced" });
  });

  it("stay as they were last where the publication goes, and status says so", async () => {
    const node = await enforcing(allowing({ nodes: monitoring }), monitors("198.18.0.7/32"));
    node.setGroups([]);
    for (const act of [() => undefined, node.restart]) {
      act();
      await node.pass();
      expect(sets(node)).toContain("198.18.0.7");
      expect(said(node)).toMatchObject({ state: "Enforced", reason: "NodeAddressesMissing" });
    }
  });

  it("count as not published while the first of their groups is not there", async () => {
    const { name, labels } = monitors();
    const second = group(name.replace(/0$/, "1"), ["198.18.0.8/32"], { ...labels });
    const node = agentNode();
    node.setGroups([second]);
    node.assign([allowing({ nodes: monitoring })]);
    await node.pass();
    expect(ready(node)).toMatchObject({ status: "False", reason: "NodeAddressesMissing" });
    node.setGroups([second, monitors("198.18.0.7/32")]);
    await node.pass();
    expect(sets(node)).toMatch(/198\.18\.0\.7.*198\.18\.0\.8/s);
    node.setGroups([second]);
    await node.pass();
    expect(sets(node)).toMatch(/198\.18\.0\.7.*198\.18\.0\.8/s);
    expect(said(node)).toMatchObject({ state: "Enforced", reason: "NodeAddressesMissing" });
  });

  it("of other policies do not matter", async () => {
    const node = await enforcing(allowing({ nodes: monitoring }), monitors("198.18.0.7/32"));
    node.writes();
    const { saves } = node.directory;
    node.setGroups([monitors("198.18.0.7/32"), nodesGroup({}, ["198.18.0.9/32"])]);
    await node.pass();
    expect([node.writes(), node.directory.saves]).toEqual([[], saves]);
  });
});

it("waits for the cluster's own addresses before it judges what the node opens, as before what comes in", async () => {
  const node = agentNode();
  node.setGroups([], []);
  node.assign([assigned({ firewall: { outbound: {} } }, "p")]);
  await node.pass();
  expect(node.host.rules[4].save(false)).not.toContain("PH-");
  expect(ready(node)).toMatchObject({ status: "False", reason: "ClusterAddressesMissing" });
});
