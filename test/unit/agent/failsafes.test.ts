import { expect, it } from "vitest";
import type { FoundFact } from "../../../src/plan/found-failsafes.ts";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const closed = assigned({ firewall: { inbound: { ports: ["1-65535"], deny: [{ name: "all" }] } } }, "closed");
const ssh = (port: number): FoundFact => ({ kind: "SshListener", port, evidence: "/usr/sbin/sshd listens (pid 812)" });

function rules(node: AgentNode): string {
  const lines = node.host.rules[4].save(false).split("\n");
  return lines.filter((line) => line.includes("PH-")).join("\n");
}
const shows = (node: AgentNode, ...facts: FoundFact[]) => {
  node.sight.now = new Map([["SshListener", facts]]);
};
const passes = (node: AgentNode, port: number) =>
  new RegExp(`-A PH-IN -p tcp -m multiport --dports ${port} -j RETURN`).test(rules(node));

async function enforcing(...facts: FoundFact[]): Promise<AgentNode> {
  const node = agentNode();
  shows(node, ...facts);
  node.assign([closed]);
  await node.pass();
  return node;
}

it("has the SSH server's port open from the first rule on, and status says why", async () => {
  const node = await enforcing(ssh(2222));
  expect(passes(node, 2222)).toBe(true);
  expect(node.status().failsafes?.[0]).toEqual({
    name: "found-ssh",
    direction: "Inbound",
    protocol: "TCP",
    ports: "2222",
    peers: "Everybody",
    origin: "Found",
    evidence: "/usr/sbin/sshd listens (pid 812)",
  });
  expect(node.status().failsafes).toContainEqual({
    name: "kubelet",
    direction: "Both",
    protocol: "TCP",
    ports: "10250",
    peers: "Nodes",
    origin: "Default",
  });
  expect(node.status().policies?.[0]).toMatchObject({
    state: "Enforced",
    reason: "DenySparesFailsafe",
    message: expect.stringContaining('TCP 2222 (failsafe "found-ssh")'),
  });
});

it("follows a server that moves while rules are in force", async () => {
  const node = await enforcing(ssh(22));
  expect(passes(node, 2222)).toBe(false);
  shows(node, ssh(2222));
  node.clock.now += 15_000;
  await node.pass();
  expect(passes(node, 2222)).toBe(true);
});

it("writes nothing while the server restarts, nor when it is there again", async () => {
  const node = await enforcing(ssh(2222));
  node.writes();
  for (const facts of [[], [ssh(2222)], []]) {
    shows(node, ...facts);
    node.clock.now += 15_000;
    await node.pass();
  }
  expect(node.writes()).toEqual([]);
  expect(passes(node, 2222)).toBe(true);
});

it("is not narrower after a restart of the agent with the server down and the API server away", async () => {
  const node = await enforcing(ssh(2222));
  node.writes();
  shows(node);
  node.restart();
  node.server.synced = false;
  await node.pass();
  expect(node.writes()).toEqual([]);
  expect(passes(node, 2222)).toBe(true);
});

it("lists nothing where no policy judges traffic", async () => {
  const node = agentNode();
  node.assign([assigned({ sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" } }, "syn")]);
  await node.pass();
  expect(node.status().failsafes).toBeUndefined();
});
