import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { agentsReady, type OperatorCluster, startOperatorCluster, type WorkerNode } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const LEASE = ["--leader-elect-lease-duration", "6"];
const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "all" },
  spec: {
    mode: "Enforce",
    ephemeralPorts: { range: "40000-50000", pods: "Inject" },
    firewall: { inbound: { defaultAction: "Reject" } },
    // Of a node whose agent is stopped nobody waits for an answer.
    rollout: { strategy: "Immediate" },
    audit: { securityUpdates: { automatic: "Ensure" }, exposure: "Ignore" },
    rateLimits: [{ name: "slow", newConnections: { limit: 10, per: "Second", burst: 10 } }],
  },
};

let lab: Lab;
let cluster: OperatorCluster;
let controller: LabProcess;
let agents: LabProcess[];
let before: string[];

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [] });
  before = await Promise.all(cluster.workers.map(everythingOn));
  controller = await cluster.startController(LEASE);
  agents = await Promise.all(cluster.workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
  const podRange = resolve(import.meta.dirname, "../../deploy/pod-range.yaml");
  await cluster.controlPlane.kubectl(["apply", "-f", podRange]);
  await cluster.apply(JSON.stringify(policy));
  await cluster.controlPlane.kubectl(["wait", "--for=condition=Ready", "phpol/all", "--timeout=60s"]);
});
afterAll(() => lab?.close());

/** What the operator may change on a node, as its tools print it; counters and empty base chains left out. */
async function everythingOn(worker: WorkerNode): Promise<string> {
  const [v4, v6, sets, nft, range, files, etc] = await Promise.all([
    worker.exec("iptables-nft-save", []),
    worker.exec("ip6tables-nft-save", []),
    worker.exec("ipset", ["list", "-n"]),
    worker.exec("nft", ["list", "tables", "inet"]),
    worker.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"]),
    worker.exec("ls", [worker.sysctlDirectory]),
    worker.exec("find", [join(worker.hostRoot, "etc")]),
  ]);
  const rules = `${v4.stdout}${v6.stdout}`
    .split("\n")
    .filter((line) => line.startsWith("-A") || line.startsWith(":PH"));
  return [...rules, sets.stdout, nft.stdout, range.stdout, files.stdout, etc.stdout].join("\n");
}

it("leaves every node as it was before the operator came, nothing to new pods, and the policies where they are", async () => {
  expect(await Promise.all(cluster.workers.map(everythingOn))).not.toEqual(before);
  const givenToPods = async () => (await cluster.controlPlane.kubectl(["get", "phpods", "-o", "name"])).stdout;
  expect(await givenToPods()).toContain("/cluster");
  const { stdout, exitCode, stderr } = await cluster.uninstall(["--timeout-seconds", "30"]);
  expect({ stdout, exitCode }, stderr).toEqual({ stdout: "", exitCode: 0 });
  expect(stderr).toContain("2 of 2 nodes are clear");
  expect(await Promise.all(cluster.workers.map(everythingOn))).toEqual(before);
  expect(await givenToPods()).toBe("");
  expect((await cluster.controlPlane.kubectl(["get", "phpol", "-o", "name"])).stdout).toContain("/all");
  // Whoever led is gone, and the next one waits: nothing is assigned anew.
  expect((await controller.exited).code).toBe(1);
  const next = await cluster.startController(LEASE);
  await next.waitForLog(/waiting to lead/, 10_000);
  expect(await Promise.all(cluster.workers.map(everythingOn))).toEqual(before);
  await next.stop();
});

it("names the nodes that did not answer in time, and the way out", async () => {
  const [agent] = agents;
  await agent?.stop();
  // As if the operator were there again.
  await cluster.controlPlane.kubectl(["delete", "lease", "-n", "port-hardening", "port-hardening-controller"]);
  controller = await cluster.startController(LEASE);
  const names = ["get", "phnode", "-o", "jsonpath={.items[*].spec.policies[*].name}"];
  await waitFor(
    "both nodes to be assigned the policy again",
    async () => (await cluster.controlPlane.kubectl(names)).stdout === "all all" || undefined,
    { timeoutMilliseconds: 20_000 },
  );
  await controller.stop();
  const { stderr, exitCode } = await cluster.uninstall(["--timeout-seconds", "3"]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /1 nodes did not say within 3 s that they are clear: node1\. .*--no-hooks.*porthardening cleanup/s,
  );
});

it("cleanup does it on one node, without an API server, and notices an agent that undoes it", async () => {
  const [first, second] = cluster.workers;
  if (first === undefined || second === undefined) throw new Error("two workers were asked for");
  await cluster.controlPlane.kubectl(["delete", "lease", "-n", "port-hardening", "port-hardening-controller"]);
  controller = await cluster.startController(LEASE);
  const agent = await first.startAgent();
  await waitFor("both to enforce", async () => (await ready()) === "True" || undefined, {
    timeoutMilliseconds: 20_000,
  });
  const undone = await first.porthardening("cleanup");
  expect(undone.exitCode).toBe(1);
  expect(undone.stderr).toMatch(/still there: .*; stop the agent/);
  await agent.stop();
  const { exitCode, stdout, stderr } = await first.porthardening("cleanup");
  expect({ exitCode, stdout }, stderr).toEqual({
    exitCode: 0,
    stdout: "nothing of port-hardening is left on this node\n",
  });
  expect(await everythingOn(first)).toEqual(before[0]);
});

async function ready(): Promise<string> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  return (await cluster.controlPlane.kubectl(["get", "phpol", "all", "-o", path])).stdout;
}
