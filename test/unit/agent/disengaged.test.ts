import { describe, expect, it, vi } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const workers = assigned({ firewall: { inbound: {} } }, "workers");
const syn = assigned({ sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" } }, "syn");
const hands = { since: Date.parse("2026-01-01T00:00:00Z"), why: "ticket 12" };

const ours = (node: AgentNode): string[] =>
  node.host.rules[4]
    .save(false)
    .split("\n")
    .filter((line) => line.includes("PH-"));
const ready = (node: AgentNode) => node.status().conditions?.find(({ type }) => type === "Ready");
const condition = (node: AgentNode) => node.status().conditions?.find(({ type }) => type === "Disengaged");
const backlog = (node: AgentNode) => node.host.sysctls.get("net.ipv4.tcp_max_syn_backlog");

async function enforcing(): Promise<AgentNode> {
  const node = agentNode();
  node.assign([workers, syn]);
  await node.pass();
  expect(ours(node)).not.toEqual([]);
  return node;
}

async function disengage(node: AgentNode): Promise<void> {
  node.switchedOff.now = hands;
  await node.pass();
}

async function engage(node: AgentNode): Promise<void> {
  node.switchedOff.now = undefined;
  await node.pass();
}

describe("a node that somebody disengaged", () => {
  it("is cleared, and no policy is Enforced there", async () => {
    const node = await enforcing();
    await disengage(node);
    expect(ours(node)).toEqual([]);
    expect(backlog(node)).toBe("512");
    expect(node.status().counts).toEqual({ assigned: 2, enforced: 0, failed: 0 });
    expect(node.status().policies).toMatchObject([
      { name: "workers", state: "NotEnforceable", reason: "Disengaged", message: expect.stringContaining("ticket 12") },
      { name: "syn", state: "NotEnforceable", reason: "Disengaged" },
    ]);
    expect(ready(node)).toMatchObject({ status: "False", reason: "Disengaged" });
    expect(condition(node)).toMatchObject({
      status: "True",
      message: "a person on the node disengaged it at 2026-01-01T00:00:00.000Z (ticket 12)",
    });
    expect(node.status().failsafes).toBeUndefined();
  });

  it("stays so whatever is assigned, and over a restart of the agent", async () => {
    const node = await enforcing();
    await disengage(node);
    node.assign([workers]);
    await node.pass();
    expect(ours(node)).toEqual([]);
    node.restart();
    await node.pass();
    expect(ours(node)).toEqual([]);
    expect(node.status().policies).toMatchObject([{ name: "workers", reason: "Disengaged" }]);
  });

  it("is cleared by an agent that starts and finds rules", async () => {
    const node = await enforcing();
    node.switchedOff.now = hands;
    node.restart();
    node.server.synced = false;
    await node.pass();
    expect(ours(node)).toEqual([]);
  });

  it("is not brought back by what an agent before had armed, nor is that confirmed or charged", async () => {
    const node = await enforcing();
    const { stored } = node.directory;
    node.probing.lost = () => new Promise(() => {});
    node.assign([workers]);
    void node.pass();
    await vi.waitFor(() => expect(node.guard.folder?.marks).toContain("applied"));
    node.probing.lost = () => [];
    node.switchedOff.now = hands;
    node.restart();
    await node.pass();
    expect(ours(node)).toEqual([]);
    expect(node.guard.folder).toBeUndefined();
    expect(node.directory.stored).toEqual(stored);
    await engage(node);
    expect(node.status().policies).toMatchObject([{ name: "workers", state: "Enforced" }]);
  });

  it("is nothing to wait for where nothing is assigned", async () => {
    const node = await enforcing();
    await disengage(node);
    node.assign([]);
    await node.pass();
    expect(ready(node)).toMatchObject({ status: "True", reason: "NothingAssigned" });
    expect(condition(node)).toBeDefined();
  });

  it("is enforced again when it is engaged, with nothing else changed", async () => {
    const node = await enforcing();
    const before = ours(node);
    await disengage(node);
    await engage(node);
    expect(ours(node)).toEqual(before);
    expect(backlog(node)).toBe("4096");
    expect(ready(node)).toMatchObject({ status: "True" });
    expect(condition(node)).toBeUndefined();
  });

  it("has what was enforced last when it is engaged with the API server away", async () => {
    const node = await enforcing();
    const before = ours(node);
    await disengage(node);
    node.restart();
    node.server.synced = false;
    await node.pass();
    await engage(node);
    expect(ours(node)).toEqual(before);
  });

  it("has what was enforced last when it is engaged after its NodeState was deleted", async () => {
    const node = await enforcing();
    const before = ours(node);
    await disengage(node);
    node.server.nodeState = undefined;
    node.server.revision += 1;
    await node.pass();
    await engage(node);
    expect(ours(node)).toEqual(before);
  });
});
