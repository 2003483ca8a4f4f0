import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { NodeStateStatus } from "../../src/api/node-state.ts";
import type { PolicyStatus } from "../../src/api/policy.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
  workerOf,
} from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const metricsPort = 9471;
const agentFlags = ["--prime-seconds", "0", "--health-port", `${metricsPort}`];
const [office, branch] = ["203.0.113.7", "198.51.100.7"];

let lab: Lab;
let cluster: OperatorCluster;
let met: WorkerNode;
let other: WorkerNode;
let agent: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${branch}/24`] });
  [met, other] = [workerOf(cluster, 0), workerOf(cluster, 1)];
  await cluster.startController();
  agent = await met.startAgent(agentFlags);
  await other.startAgent(agentFlags);
  await agentsReady(cluster);
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) => (await cluster.controlPlane.kubectl(args)).stdout;

async function apply(branchCidr: string): Promise<void> {
  const allow = Object.entries({ office: "203.0.113.0/24", branch: branchCidr }).map(([name, cidr]) => ({
    name,
    from: [{ ipBlock: { cidr } }],
  }));
  const spec = {
    mode: "Enforce",
    rollout: { strategy: "Immediate" },
    firewall: { inbound: { ports: [served.hostPort], protocols: ["TCP"], allow } },
  };
  const metadata = { name: "web" };
  await cluster.apply(
    JSON.stringify({ apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata, spec }),
  );
}

type Said = NonNullable<NodeStateStatus["unmatched"] | PolicyStatus["unmatched"]>;

/** Agents read counters once a minute, and when somebody asks for metrics; what they read stands in status after the next pass. */
async function look(node: WorkerNode): Promise<void> {
  const scrape = `await (await fetch("http://127.0.0.1:${metricsPort}/metrics")).text()`;
  await node.exec(process.execPath, ["--input-type=module", "-e", scrape], { timeoutMilliseconds: 30_000 });
  await node.exec("iptables-nft", ["-w", "10", "-t", "mangle", "-A", "POSTROUTING", "-j", "RETURN"]);
}

async function saidOf(kind: "phpol" | "phnode", name: string, entries: readonly string[]): Promise<Said | undefined> {
  let seen = "";
  return waitFor(
    `${kind}/${name} to name ${entries.join(", ") || "nothing"}`,
    async () => {
      await Promise.all([met, other].map(look));
      seen = await kubectl("get", kind, name, "-o", "json");
      const { status } = JSON.parse(seen) as { readonly status?: NodeStateStatus | PolicyStatus };
      const named = status?.unmatched?.entries.map(({ entry }) => entry) ?? [];
      const ready = status?.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True");
      return ready && JSON.stringify(named) === JSON.stringify(entries) ? { said: status?.unmatched } : undefined;
    },
    { timeoutMilliseconds: 120_000, intervalMilliseconds: 500, lastSeen: () => seen },
  ).then(({ said }) => said);
}

async function connects(from: string, to: WorkerNode): Promise<boolean> {
  const outside = await cluster.outside.traffic();
  return (await outside.connect({ from, to: to.ipv4, port: served.hostPort })).outcome === "connected";
}

it("names the entries that no packet has matched, on each node and on all", async () => {
  await apply("198.51.100.0/24");
  await kubectl("wait", "--for=condition=Ready", "phpol/web", "--timeout=60s");
  expect(await saidOf("phnode", met.name, ["branch", "office", "default"])).toMatchObject({ count: 3, of: 3 });
  expect(await saidOf("phpol", "web", ["branch", "office", "default"])).toEqual({
    count: 3,
    entries: [
      { direction: "Inbound", list: "Allow", entry: "branch" },
      { direction: "Inbound", list: "Allow", entry: "office" },
      { direction: "Inbound", list: "Default", entry: "default" },
    ],
  });
});

it("names one no more that a packet matched; of the policy, on whatever node that was", async () => {
  expect(await connects(office, met)).toBe(true);
  expect(await saidOf("phnode", met.name, ["branch", "default"])).toMatchObject({ count: 2, of: 3 });
  await saidOf("phpol", "web", ["branch", "default"]);
  await saidOf("phnode", other.name, ["branch", "office", "default"]);
  expect(await kubectl("describe", "phpol", "web")).toMatch(/Unmatched:[^]*Entry:\s+branch/);
  expect(await kubectl("get", "phpol", "web", "-o", "wide")).toMatch(/UNMATCHED/);
});

it("keeps what was seen when the rules are written anew, and after a boot", async () => {
  await apply("192.0.2.0/24");
  await kubectl("wait", "--for=jsonpath={.status.observedGeneration}=2", "phpol/web", "--timeout=60s");
  await kubectl("wait", "--for=condition=Ready", "phpol/web", "--timeout=60s");
  await saidOf("phnode", met.name, ["branch", "default"]);
  await agent.stop();
  await met.exec("nft", ["flush", "ruleset"]);
  agent = await met.startAgent(agentFlags);
  let rules = "";
  await waitFor(
    "the rules to be there anew, without a packet",
    async () => {
      rules = (await met.exec("iptables-nft-save", ["-c", "-t", "mangle"])).stdout;
      return /^\[0:0\] -A PH-J .*web\/office/m.test(rules) ? true : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => rules },
  );
  await saidOf("phnode", met.name, ["branch", "default"]);
  // And the packets say that the rules are there.
  expect(await connects(office, met)).toBe(true);
  expect(await connects(branch, met)).toBe(false);
  await saidOf("phnode", met.name, ["branch"]);
});
