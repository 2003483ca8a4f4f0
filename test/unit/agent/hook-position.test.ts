import { describe, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const inbound = assigned({ firewall: { inbound: { ports: ["8000-9000"] } } }, "inbound");
const outbound = assigned({ firewall: { outbound: {} } }, "outbound");
const PAST = "-p tcp -m tcp --dport 8443 -j ACCEPT";

async function enforcing(): Promise<AgentNode> {
  const node = agentNode();
  node.assign([inbound, outbound]);
  await node.pass();
  node.writes();
  return node;
}

/** Somebody writes to mangle, nft monitor tells of it, and the agent looks. */
async function tamper(node: AgentNode, ...lines: string[]): Promise<void> {
  node.host.tamper(4, ["*mangle", ...lines, "COMMIT", ""].join("\n"));
  node.drift("process 2771 (felix)");
  await node.pass();
}
const states = (node: AgentNode) => node.status().policies?.map(({ name, state }) => `${name} ${state}`);

describe("a rule ahead of ours", () => {
  it("that accepts nothing new is left, and so are ours", async () => {
    const node = await enforcing();
    await tamper(node, "-I PREROUTING 1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
    expect(node.writes()).toEqual([]);
    expect(node.status().drift).toEqual({ count: 0 });
    expect(states(node)).toEqual(["inbound Enforced", "outbound Enforced"]);
  });

  it("that accepts new connections is overtaken once, which is drift", async () => {
    const node = await enforcing();
    await tamper(node, `-I PREROUTING 1 ${PAST}`);
    expect(node.status().drift).toMatchObject({ count: 1, last: { what: [expect.stringContaining(PAST)] } });
    expect(states(node)).toEqual(["inbound Enforced", "outbound Enforced"]);
  });

  it("that comes again makes the policies that it evades NotEnforceable, by rule and process, and no others", async () => {
    const node = await enforcing();
    for (const _ of ["first", "again"]) await tamper(node, `-I PREROUTING 1 ${PAST}`);
    expect(states(node)).toEqual(["inbound NotEnforceable", "outbound Enforced"]);
    const { reason, message } = node.status().policies?.[0] ?? {};
    expect(reason).toBe("HookEvaded");
    expect(message).toContain(`PREROUTING (v4): the rule "PREROUTING ${PAST}" accepts new connections`);
    expect(message).toContain("put there by process 2771 (felix)");
    expect(node.status().conditions).toMatchObject([{ type: "Ready", status: "False", reason: "HookEvaded" }]);
    expect(node.status().counts).toEqual({ assigned: 2, enforced: 1, failed: 0 });
  });

  it("is fought with no more: nothing is written while it stands, however long", async () => {
    const node = await enforcing();
    for (const _ of ["first", "again"]) await tamper(node, `-I PREROUTING 1 ${PAST}`);
    node.writes();
    for (const end = node.clock.now + 7_200_000; node.clock.now < end; )
      node.clock.now += Math.max(1, await node.pass());
    expect(node.writes()).toEqual([]);
    expect(states(node)).toEqual(["inbound NotEnforceable", "outbound Enforced"]);
    expect(node.status().drift?.count).toBe(1);
  });

  it("that goes away leaves everything Enforced again", async () => {
    const node = await enforcing();
    for (const _ of ["first", "again"]) await tamper(node, `-I PREROUTING 1 ${PAST}`);
    await tamper(node, `-D PREROUTING ${PAST}`);
    expect(states(node)).toEqual(["inbound Enforced", "outbound Enforced"]);
  });

  it("is overtaken again after an hour of peace", async () => {
    const node = await enforcing();
    await tamper(node, `-I PREROUTING 1 ${PAST}`);
    for (const end = node.clock.now + 3_600_001; node.clock.now < end; )
      node.clock.now += Math.max(1, await node.pass());
    await tamper(node, `-D PREROUTING ${PAST}`, `-I PREROUTING 1 ${PAST}`);
    expect(states(node)).toEqual(["inbound Enforced", "outbound Enforced"]);
    expect(node.status().drift?.count).toBe(2);
  });

  it("concerns only policies whose ports it lets past", async () => {
    const node = await enforcing();
    for (const _ of ["first", "again"]) await tamper(node, "-I PREROUTING 1 -p tcp -m tcp --dport 22 -j ACCEPT");
    expect(node.status().drift).toEqual({ count: 0 });
    expect(states(node)).toEqual(["inbound Enforced", "outbound Enforced"]);
  });
});
