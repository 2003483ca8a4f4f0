import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { served } from "../../lab/operator-cluster.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, startAgentLab } from "./agent-lab.ts";

/** From a bind to the API server: a look every 5 s, and the way of a status. */
const SEEN_WITHIN_MILLISECONDS = 7_000;
const UNEXPECTED = "listeners.unexpected";

const watched = assigned(
  {
    firewall: { inbound: { ports: ["1024-65535"], defaultAction: "Allow" } },
    monitoring: {
      listeners: { expected: [{ port: served.hostPort, process: "node" }, { port: served.hostUdpPort }] },
    },
    // There is no controller here that asks a peer.
    audit: { mandatoryAccessControl: "Required", securityUpdates: { pending: "Ignore" }, exposure: "Ignore" },
  },
  "watched",
);
const plain = assigned({ ephemeralPorts: { range: "49152-65535" } }, "plain");

let lab: AgentLab;
let agent: LabProcess;

/** The tests follow each other on one node. */
beforeAll(async () => {
  lab = await startAgentLab([]);
  agent = await lab.startAgent();
  await lab.assign([watched]);
  await audited();
});
afterAll(() => lab?.close());

/** Waits until the agent of now has made every check. */
async function audited(): Promise<NodeStateStatus> {
  await agent.waitForLog(/"audited"/, 45_000);
  return lab.statusWhere("the node to be audited", ({ audit }) => audit?.policies[0]?.pending === 0);
}

function unexpected({ audit }: NodeStateStatus) {
  return audit?.top.filter(({ id }) => id === UNEXPECTED) ?? [];
}

const hasFound = (port: number) => (status: NodeStateStatus) => unexpected(status).some((found) => found.port === port);
const hasNothing = (status: NodeStateStatus): boolean =>
  status.listeners?.unexpected === 0 && unexpected(status).length === 0;

describe("a policy that watches and audits", () => {
  it("shows a process that listens unexpectedly within seconds, as long as it does", async () => {
    await lab.statusWhere("nothing to be unexpected", hasNothing);
    const from = performance.now();
    const listener = await (await lab.node.traffic()).listen("tcp", [9999]);
    const status = await lab.statusWhere("port 9999 to be found", hasFound(9999));
    expect(performance.now() - from).toBeLessThan(SEEN_WITHIN_MILLISECONDS);
    expect(unexpected(status)).toMatchObject([
      { check: "listeners", subject: expect.stringMatching(/^TCP \[::\]:9999 /), port: 9999 },
    ]);
    expect(status.listeners).toMatchObject({ count: 4, unexpected: 1 });
    expect(status.listeners?.top[0]).toMatchObject({
      protocol: "TCP",
      address: "::",
      port: 9999,
      user: 0,
      expected: false,
      process: expect.any(String),
      cgroup: expect.stringMatching(/^\//),
      since: expect.any(String),
    });
    const since = (port: number) => Date.parse(status.listeners?.top.find((one) => one.port === port)?.since ?? "");
    expect(since(9999)).toBeGreaterThan(since(served.hostPort));
    await listener.close();
    await lab.statusWhere("port 9999 to be gone", hasNothing);
  });

  it("connects to a server that comes, says that it speaks in plain text, and who reaches it", async () => {
    const script = 'require("node:http").createServer((_, response) => response.end("hi")).listen(9080, "0.0.0.0")';
    const server = await lab.node.spawn("http", process.execPath, ["-e", script]);
    const plaintext = ({ audit }: NodeStateStatus) =>
      audit?.top.find(({ port, check }) => port === 9080 && check === "protocols");
    const status = await lab.statusWhere("plain text to be found", (one) => plaintext(one) !== undefined);
    expect(plaintext(status)).toMatchObject({ id: "protocols.plaintext-http", severity: "medium" });
    expect(status.listeners?.top.find(({ port }) => port === 9080)).toMatchObject({
      reach: "Everybody",
      speaks: expect.stringMatching(/^HTTP in plain text/),
    });
    await server.stop();
    await lab.statusWhere("it to be gone", (one) => plaintext(one) === undefined);
  });

  it("says of every check what became of it, and of the policy what it is not met by", async () => {
    const { audit, connections } = await audited();
    expect(audit?.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["listeners", "conntrack", "local-ports", "confinement", "automatic-updates"]),
    );
    for (const { status, reason } of audit?.checks ?? []) if (status === "NotChecked") expect(reason).not.toBe("");
    const required = audit?.checks.filter(({ practice }) => practice === "accessControl") ?? [];
    const notChecked = required.filter(({ status }) => status === "NotChecked").length;
    const findings = required.reduce((sum, check) => sum + (check.findings ?? 0), 0);
    expect(audit?.policies).toMatchObject([{ name: "watched", notMet: notChecked + findings, pending: 0 }]);
    expect(Date.parse(audit?.dueAt ?? "")).toBeGreaterThan(Date.parse(audit?.auditedAt ?? ""));
    expect(connections).toMatchObject({ established: expect.any(Number), localPortsUsedPercent: 0 });
  });

  it("answers a request with an audit made after it", async () => {
    const before = await audited();
    await lab.assign([watched], { auditRequest: "2026-01-01T00:00:00Z" });
    await agent.waitForLog(/"request":"2026-01-01T00:00:00Z"/, 45_000);
    const after = await lab.statusWhere("the request to be answered", ({ audit }) => audit?.request !== undefined);
    expect(after.audit?.request).toBe("2026-01-01T00:00:00Z");
    const made = (status: NodeStateStatus) => Date.parse(status.audit?.auditedAt ?? "");
    expect(made(after)).toBeGreaterThan(made(before));
  });

  it("knows since when a finding is there, over a restart", async () => {
    const listener = await (await lab.node.traffic()).listen("tcp", [9998]);
    const before = await lab.statusWhere("port 9998 to be found", hasFound(9998));
    await agent.stop();
    agent = await lab.startAgent();
    const after = await audited();
    expect(unexpected(after)).toEqual(unexpected(before));
    await listener.close();
  });

  it("leaves no word of audits in status when it goes and no other asks", async () => {
    await lab.assign([plain]);
    const status = await lab.statusWhere("plain to be enforced", ({ policies, audit }) =>
      Boolean(audit === undefined && policies?.some(({ name, state }) => name === "plain" && state === "Enforced")),
    );
    expect(status).not.toHaveProperty("listeners");
    expect(status).not.toHaveProperty("connections");
  });
});
