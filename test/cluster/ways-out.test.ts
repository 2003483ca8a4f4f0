import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { NodeStateStatus } from "../../src/api/node-state.ts";
import type { PolicyStatus } from "../../src/api/policy.ts";
import { blockOf } from "../documentation/reader-shell.ts";
import type { Host } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
} from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const LEASE = ["--leader-elect-lease-duration", "6"];
const allowed = "203.0.113.7";
const refused = "192.0.2.7";
const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "workers" },
  spec: {
    mode: "Enforce",
    ephemeralPorts: { range: "49152-65535" },
    firewall: {
      inbound: {
        defaultAction: "Reject",
        allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }],
      },
    },
  },
};

let lab: Lab;
let cluster: OperatorCluster;
let node: WorkerNode;
let outside: Host;
let agent: LabProcess;
let controller: LabProcess;
/** Rules, sets and range before there was an agent. */
let untouched: string;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 1, sources: [`${allowed}/24`, `${refused}/24`] });
  const [worker] = cluster.workers;
  if (worker === undefined) throw new Error("the lab has no node");
  node = worker;
  ({ outside } = cluster);
  untouched = await everything();
  controller = await cluster.startController(LEASE);
  agent = await node.startAgent();
  await agentsReady(cluster);
  await cluster.apply(JSON.stringify(policy));
});
afterAll(() => lab?.close());
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** Each test begins, and ends, with the policy enforced, an agent at work and the API server there. */
beforeEach(enforced);
afterEach(async () => {
  await cluster.controlPlane.restart();
  await node.porthardening("engage");
  if (!agent.running) agent = await node.startAgent();
  // One that lost its lease meanwhile ends, sooner or later.
  await controller.stop();
  controller = await cluster.startController(LEASE);
});

async function everything(): Promise<string> {
  const [v4, v6, sets, tables, range] = await Promise.all([
    node.exec("iptables-nft-save", []),
    node.exec("ip6tables-nft-save", []),
    node.exec("ipset", ["list", "-n"]),
    node.exec("nft", ["list", "tables", "inet"]),
    node.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"]),
  ]);
  const rules = `${v4.stdout}${v6.stdout}`.split("\n").filter((line) => /^(?:-A|:PH-)/.test(line));
  return [...rules, sets.stdout, tables.stdout, range.stdout].join("\n");
}

async function reaches(from: string): Promise<boolean> {
  const traffic = await outside.traffic();
  return (await traffic.connect({ to: node.ipv4, port: served.hostPort, from })).outcome === "connected";
}

async function status<T>(object: string): Promise<T | undefined> {
  const { stdout } = await cluster.controlPlane.kubectl(["get", object, "-o", "json"]);
  return (JSON.parse(stdout) as { readonly status?: T }).status;
}

async function statusWhere<T>(object: string, what: string, holds: (seen: T) => boolean): Promise<T> {
  let seen: T | undefined;
  return waitFor(
    what,
    async () => {
      seen = await status<T>(object);
      return seen !== undefined && holds(seen) ? seen : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => `${JSON.stringify(seen)}\n${agent.log().slice(-1_000)}` },
  );
}

async function untilRefused(is: boolean): Promise<void> {
  await waitFor(
    is ? "a stranger to be refused" : "a stranger to be let in",
    async () => ((await reaches(refused)) === !is ? true : undefined),
    { timeoutMilliseconds: 60_000, lastSeen: () => agent.log().slice(-2_000) },
  );
}

async function enforced(): Promise<void> {
  await statusWhere<PolicyStatus>("phpol/workers", "the policy to be Ready", (seen) => seen.status === "Ready");
  await untilRefused(true);
  expect(await reaches(allowed)).toBe(true);
}

async function untilUntouched(): Promise<void> {
  let seen = "";
  await waitFor(
    "the node to be as it was before there was an agent",
    async () => {
      seen = await everything();
      return seen === untouched ? true : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => seen },
  );
}

const restartAgent = async (): Promise<void> => {
  await agent.stop();
  agent = await node.startAgent();
};

it("disengages a node at once, over restarts of the agent, and says so until it is engaged", async () => {
  const { exitCode, stdout, stderr } = await node.porthardening("disengage", ["--reason", "ticket 12"]);
  expect({ exitCode, stdout }, stderr).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("engage takes it back"),
  });
  expect(await reaches(refused)).toBe(true);
  await untilUntouched();
  const said = await statusWhere<PolicyStatus>(
    "phpol/workers",
    "it to be said",
    (seen) => seen.status === "PartlyEnforced",
  );
  expect(said.nodes).toMatchObject({ selected: 1, enforced: 0, notEnforceable: 1 });
  expect(said.failures).toMatchObject([
    { node: node.name, reason: "Disengaged", message: expect.stringContaining("ticket 12") },
  ]);
  const onNode = await status<NodeStateStatus>(`phnode/${node.name}`);
  expect(onNode?.conditions).toContainEqual(expect.objectContaining({ type: "Disengaged", status: "True" }));
  await restartAgent();
  await agent.waitForLog(/disengaged by a person/, 30_000);
  await agent.waitForLog(/node cleared/, 30_000);
  expect(await everything()).toBe(untouched);
  await node.porthardening("engage");
  await enforced();
});

it("disengages a node whose agent is dead, with the API server gone, and engages it from what is on disk", async () => {
  await cluster.controlPlane.stop();
  await agent.kill();
  expect(await reaches(refused)).toBe(false);
  expect(await node.porthardening("disengage")).toMatchObject({ exitCode: 0 });
  expect(await everything()).toBe(untouched);
  agent = await node.startAgent();
  await agent.waitForLog(/node cleared/, 30_000);
  expect(await reaches(refused)).toBe(true);
  await node.porthardening("engage");
  await untilRefused(true);
});

it("takes a file that somebody touched for it, with the API server gone", async () => {
  await cluster.controlPlane.stop();
  await writeFile(join(node.stateDirectory, "disengaged"), "");
  await untilRefused(false);
  await untilUntouched();
  await rm(join(node.stateDirectory, "disengaged"));
  await untilRefused(true);
});

it("is taken off by hand, as the documentation says, where the agent hangs", async () => {
  const block = blockOf("docs/operations.md", "Take it off a node by hand", "nft delete table");
  // What follows is about files of the machine that the tests run on.
  const [kernel = ""] = block.split("rm -f ");
  expect(kernel).toContain("ipset destroy");
  agent.signal("SIGSTOP");
  try {
    await writeFile(join(node.stateDirectory, "disengaged"), "");
    const { exitCode, stderr } = await node.tryExec("sh", ["-ec", kernel]);
    expect(exitCode, stderr).toBe(0);
    expect(await reaches(refused)).toBe(true);
  } finally {
    agent.signal("SIGCONT");
  }
  await untilUntouched();
});

it("leaves out a node by its annotation, and takes it in again without", async () => {
  const annotate = (value: string) =>
    cluster.controlPlane.kubectl(["annotate", "--overwrite", `node/${node.name}`, `porthardening.io/skip${value}`]);
  await annotate("=true");
  await untilRefused(false);
  await untilUntouched();
  const said = await statusWhere<PolicyStatus>("phpol/workers", "it to be said", (seen) => seen.nodes?.skipped === 1);
  expect(said).toMatchObject({ status: "NoNodesSelected", nodes: { selected: 0, skipped: 1 } });
  expect(said.message).toContain(`Left out by annotation porthardening.io/skip: ${node.name}.`);
  await statusWhere<NodeStateStatus>(`phnode/${node.name}`, "the node to say why", ({ conditions = [] }) =>
    conditions.some(({ type, reason }) => type === "Ready" && reason === "Skipped"),
  );
  await annotate("-");
  await enforced();
});
