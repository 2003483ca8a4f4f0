import { describe, expect, it } from "vitest";
import { UNMATCHED_MAX } from "../../../src/api/unmatched.ts";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const allow = (name: string, cidr: string) => ({ name, from: [{ ipBlock: { cidr } }] });
const office = allow("office", "192.0.2.0/24");
const branch = allow("branch", "198.51.100.0/24");
const inbound = (...entries: readonly object[]) =>
  assigned({ firewall: { inbound: { allow: entries, protocols: ["TCP"] } } }, "workers");

async function enforcing(...entries: readonly object[]): Promise<AgentNode> {
  const node = agentNode();
  node.assign([inbound(...entries)]);
  await node.pass();
  return node;
}

/** A reading of the counters, and a pass that says what it found. */
async function look(node: AgentNode): Promise<void> {
  await node.reconciler().collect();
  await node.pass();
}

const named = (node: AgentNode) =>
  node.status().unmatched?.entries.map(({ list, entry }) => (list === "Default" ? list : `${list} ${entry}`));

describe("entries that no packet has matched", () => {
  it("are named from the first status on, with the time since when they stand", async () => {
    const node = await enforcing(office, branch);
    const since = "2026-01-01T00:00:00.000Z";
    expect(node.status().unmatched).toEqual({
      count: 3,
      of: 3,
      entries: [
        { policy: "workers", direction: "Inbound", list: "Allow", entry: "branch", since },
        { policy: "workers", direction: "Inbound", list: "Allow", entry: "office", since },
        { policy: "workers", direction: "Inbound", list: "Default", entry: "default", since },
      ],
    });
  });

  it("are named also where there is no rule for them, as nobody is meant", async () => {
    const node = await enforcing({ name: "nobody", from: [{ addressGroup: { name: "missing" } }] });
    expect(named(node)).toContain("Allow nobody");
  });

  it("are named no more once a packet came, and the counts follow", async () => {
    const node = await enforcing(office, branch);
    node.host.rules[4].count(1);
    await look(node);
    expect(node.status().unmatched).toEqual({ count: 0, of: 3, entries: [] });
  });

  it("say the same as long as nothing new was matched, however many packets come", async () => {
    const node = await enforcing(office);
    node.host.rules[4].count(1);
    await look(node);
    const { unmatched } = node.status();
    node.clock.now += 3_600_000;
    node.host.rules[4].count(1_000);
    await look(node);
    expect(node.status().unmatched).toEqual(unmatched);
  });

  it("do not come back when rules are written anew for another entry; the edited one begins anew", async () => {
    const node = await enforcing(office, branch);
    node.host.rules[4].count(1);
    await look(node);
    node.clock.now += 60_000;
    node.assign([inbound(office, allow("branch", "203.0.113.0/24"))]);
    await node.pass();
    expect(node.status().unmatched).toMatchObject({
      count: 1,
      entries: [{ entry: "branch", since: "2026-01-01T00:01:00.000Z" }],
    });
  });

  it("do not come back when the agent is restarted and the counters are gone, and keep their time", async () => {
    const node = await enforcing(office, branch);
    node.host.rules[4].count(1);
    await look(node);
    node.assign([inbound(office, allow("branch", "203.0.113.0/24"))]);
    await node.pass();
    const before = node.status().unmatched;
    // As after a boot.
    node.host.rules[4].restore("*mangle\nCOMMIT\n*filter\nCOMMIT\n", () => true);
    node.clock.now += 60_000;
    node.restart();
    await node.pass();
    expect(node.status().unmatched).toEqual(before);
    expect(before?.count).toBe(1);
  });

  it("are named up to a bound by name; of what was not named a later agent says nothing but what it counted", async () => {
    const names = Array.from({ length: UNMATCHED_MAX + 5 }, (_, n) => `entry-${String(n).padStart(2, "0")}`);
    const node = await enforcing(...names.map((name, n) => allow(name, `192.0.2.${n}/32`)));
    expect(named(node)).toEqual(names.slice(0, UNMATCHED_MAX).map((name) => `Allow ${name}`));
    node.restart();
    await node.pass();
    expect(node.status().unmatched?.count).toBe(names.length + 1);
  });

  it("are none where nothing judges, and none of a policy that only observes", async () => {
    const node = agentNode();
    node.assign([assigned({ mode: "Observe", firewall: { inbound: { allow: [office] } } }, "workers")]);
    await node.pass();
    expect(node.status().unmatched).toBeUndefined();
  });
});
