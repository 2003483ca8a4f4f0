import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { PolicyStatus } from "../../src/api/policy.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { agentsReady, type OperatorCluster, startOperatorCluster, type WorkerNode } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const range = "net.ipv4.ip_local_port_range";
const ranged = (ports: string) =>
  JSON.stringify({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "ports" },
    spec: { mode: "Enforce", ephemeralPorts: { range: ports } },
  });
const before = "49152\t65535";

let lab: Lab;
let cluster: OperatorCluster;
let workers: readonly WorkerNode[];
let apiPort: string;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 3, sources: [] });
  ({ workers } = cluster);
  apiPort = new URL(cluster.controlPlane.server).port;
  await cluster.startController(["--leader-elect-lease-duration", "6"]);
  await Promise.all(workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
  await cluster.apply(ranged("49152-65535"));
  await statusWhere("the policy to be Ready", ({ status, nodes }) => status === "Ready" && nodes?.enforced === 3);
});
afterAll(() => lab?.close());

/** As a firewall in front of the API server that lets nodes in by their usual local ports alone. */
const firewall = (verb: "-I" | "-D") =>
  lab.root.exec(
    "iptables-nft",
    ["-w", "10", verb, "INPUT", "-p", "tcp", "--dport", apiPort, "--sport", "10000:20000", "-j", "DROP"],
    { timeoutMilliseconds: 30_000 },
  );

async function statusWhere(what: string, holds: (seen: PolicyStatus) => boolean): Promise<PolicyStatus> {
  let seen: PolicyStatus | undefined;
  return waitFor(
    what,
    async () => {
      const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol/ports", "-o", "json"]);
      seen = (JSON.parse(stdout) as { readonly status?: PolicyStatus }).status;
      return seen !== undefined && holds(seen) ? seen : undefined;
    },
    { timeoutMilliseconds: 120_000, lastSeen: () => JSON.stringify(seen) },
  );
}

const ranges = () => Promise.all(workers.map(async (node) => (await node.exec("sysctl", ["-n", range])).stdout.trim()));
const states = async (path: string) =>
  (
    await cluster.controlPlane.kubectl(["get", "phnode", "-o", `jsonpath={range .items[*]}{${path}}{"\\n"}{end}`])
  ).stdout.trim();

it("halts a roll-out at the canary that took its revision back, and the other nodes keep theirs", async () => {
  const assigned = ".spec.policies[0].hash";
  const [, second, third] = (await states(assigned)).split("\n");
  await firewall("-I");
  await cluster.apply(ranged("10000-20000"));
  const halted = await statusWhere("the roll-out to halt", ({ status }) => status === "RolloutHalted");
  expect(halted.message).toMatch(/rolled back: API server \S+ answered before the change, not behind it, and again/);
  expect(halted.message).toMatch(/The roll-out has halted.*2 nodes are left as they were/);
  expect(halted.nodes).toMatchObject({ selected: 3, failed: 1 });
  expect((await states(".status.policies[0].state")).split("\n")).toEqual(["RolledBack", "Enforced", "Enforced"]);
  expect((await states(assigned)).split("\n").slice(1)).toEqual([second, third]);
  expect(await ranges()).toEqual([before, before, before]);
});

it("goes on when somebody has mended the cause, and asks for another try", async () => {
  await firewall("-D");
  await cluster.controlPlane.kubectl(["annotate", "phpol", "ports", "porthardening.io/retry-at=now"]);
  await statusWhere("all nodes to enforce it", ({ status, nodes }) => status === "Ready" && nodes?.enforced === 3);
  expect(await ranges()).toEqual(Array(3).fill("10000\t20000"));
});
