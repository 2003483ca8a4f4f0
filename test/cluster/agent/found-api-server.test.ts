import { afterAll, beforeAll, expect, it } from "vitest";
import { served } from "../../lab/operator-cluster.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, startAgentLab } from "./agent-lab.ts";

/** Nothing leaves the node; the API server is no node, and in none of the cluster's published addresses. */
const closed = assigned(
  { firewall: { outbound: { ports: ["1-65535"], protocols: ["TCP", "UDP"], trustCluster: false } } },
  "closed",
);
const other = assigned({ sysctls: { "net.ipv4.tcp_syncookies": "1" } }, "other");

let lab: AgentLab;
beforeAll(async () => {
  lab = await startAgentLab([]);
  await (await lab.outside.traffic()).listen("tcp", [served.hostPort]);
});
afterAll(() => lab?.close());

it("leads to the API server whatever a policy says, by its own address and port alone", async () => {
  const server = new URL(lab.controlPlane.server);
  const [address, port] = [server.hostname, Number(server.port)];
  const opens = async (to: string, at: number) => (await (await lab.node.traffic()).connect({ to, port: at })).outcome;
  const agent = await lab.startAgent();
  expect(await opens(lab.outside.ipv4, served.hostPort)).toBe("connected");
  await lab.assign([closed]);
  const status = await lab.statusWhere("closed to be enforced", ({ counts }) => counts?.enforced === 1);
  expect(status.failsafes?.[0]).toMatchObject({
    name: `found-api-server-${port}`,
    direction: "Outbound",
    ports: `${port}`,
    peers: address,
    origin: "Found",
    evidence: `the agent's own way: ${address}:${port}`,
  });
  expect(await opens(lab.outside.ipv4, served.hostPort)).toBe("timeout");
  expect(await opens(address, port)).toBe("connected");
  expect(await opens(address, 8443)).toBe("timeout");
  // Another process has no connection from before.
  await agent.kill();
  await lab.startAgent();
  await lab.assign([closed, other]);
  await lab.statusWhere("an agent that came later to report", ({ counts }) => counts?.enforced === 2);
});
