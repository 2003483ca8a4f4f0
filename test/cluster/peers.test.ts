import { afterAll, beforeAll, expect, it } from "vitest";
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
import type { Traffic } from "../lab/traffic/traffic.ts";
import { waitFor } from "../lab/wait-for.ts";

/** Addresses of machines that become nodes in these tests. */
const first = "198.51.100.7";
const second = "198.51.100.8";
const stranger = "203.0.113.9";

/** A killed controller would keep the next one waiting for its lease. */
const ALONE = ["--no-leader-elect"];
let lab: Lab;
let cluster: OperatorCluster;
let controller: LabProcess;
let worker: WorkerNode;
let outside: Traffic;

beforeAll(async () => {
  lab = await createLab();
  const sources = [first, second, stranger].map((address) => `${address}/24`);
  cluster = await startOperatorCluster(lab, { workers: 1, sources });
  worker = workerOf(cluster, 0);
  controller = await cluster.startController(ALONE);
  await worker.startAgent();
  await agentsReady(cluster);
  outside = await cluster.outside.traffic();
});
afterAll(() => lab?.close());

const kubectl = (...args: string[]) => cluster.controlPlane.kubectl(args);
const policy = (name: string, spec: object) =>
  cluster.apply(
    JSON.stringify({
      apiVersion: "porthardening.io/v1alpha1",
      kind: "PortHardeningPolicy",
      metadata: { name },
      spec: { mode: "Enforce", ...spec },
    }),
  );
const groupObject = (name: string, addresses: readonly string[], labels: Record<string, string> = {}) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningAddressGroup",
  metadata: { name, labels },
  spec: { addresses },
});
const group = (name: string, ...addresses: string[]) => cluster.apply(JSON.stringify(groupObject(name, addresses)));

async function join(name: string, address: string, labels: Record<string, string>): Promise<void> {
  const status = { addresses: [{ type: "InternalIP", address }] };
  const object = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, status };
  await cluster.controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(object) });
}

const reaches = async (from: string) =>
  (await outside.connect({ from, to: worker.ipv4, port: served.hostPort })).outcome === "connected";
const until = (what: string, holds: () => Promise<boolean>) =>
  waitFor(what, async () => ((await holds()) ? true : undefined), { timeoutMilliseconds: 15_000 });
const ready = (name: string) => kubectl("wait", "--for=condition=Ready", `phpol/${name}`, "--timeout=15s");

/** What the controller wrote for the node, and how often. */
async function assignment(): Promise<{ generation: number; spec: unknown }> {
  const { stdout } = await kubectl("get", "phnode", worker.name, "-o", "json");
  const { metadata, spec } = JSON.parse(stdout);
  return { generation: metadata.generation, spec };
}
const selections = async () => {
  const { stdout } = await kubectl("get", "phag", "-l", "porthardening.io/node-selector", "-o", "json");
  return (JSON.parse(stdout).items as { spec: { addresses: string[] } }[]).map(({ spec }) => spec.addresses.join());
};

it("lets the selected nodes in, and follows those that join, change and leave without rewriting a NodeState", async () => {
  await join("monitor-1", first, { role: "monitoring" });
  const from = [{ nodes: { matchLabels: { role: "monitoring" } } }];
  await policy("metrics", { firewall: { inbound: { trustCluster: false, allow: [{ name: "m", from }] } } });
  await ready("metrics");
  expect([await reaches(first), await reaches(second), await reaches(stranger)]).toEqual([true, false, false]);
  const before = await assignment();

  await join("monitor-2", second, { role: "spare" });
  await kubectl("label", "node", "monitor-2", "role=monitoring", "--overwrite");
  await until("the second node to be let in", () => reaches(second));
  await kubectl("label", "node", "monitor-1", "role-");
  await until("the first node to be kept out", async () => !(await reaches(first)));
  expect([await reaches(second), await reaches(stranger)]).toEqual([true, false]);
  await kubectl("delete", "node", "monitor-2");
  await until("the second node to be kept out", async () => !(await reaches(second)));

  expect(await assignment()).toEqual(before);
  const { stdout } = await kubectl("get", "phpol", "metrics", "-o", "jsonpath={.status.status}");
  expect([stdout, await selections()]).toEqual(["Ready", [""]]);
});

it("keeps letting them in where their group is deleted and no controller makes it anew", async () => {
  await kubectl("label", "node", "monitor-1", "role=monitoring");
  await until("the first node to be let in again", () => reaches(first));
  controller.signal("SIGKILL");
  await controller.exited;
  await kubectl("delete", "phag", "-l", "porthardening.io/node-selector");
  const told = ["get", "phnode", worker.name, "-o", "jsonpath={.status.policies[0].reason}"];
  await until("the agent to say so", async () => (await kubectl(...told)).stdout === "NodeAddressesMissing");
  expect([await reaches(first), await reaches(stranger)]).toEqual([true, false]);
  controller = await cluster.startController(ALONE);
  await until("the agent to have nothing to say", async () => (await kubectl(...told)).stdout === "Enforced");
  expect(await selections()).toEqual([`${first}/32`]);
});

it("removes the group of a selector with the last policy that uses it", async () => {
  await kubectl("delete", "phpol", "metrics");
  await until("the group to go", async () => (await selections()).length === 0);
  await until("the stranger to be let in", () => reaches(stranger));
});

it("keeps a blocklist in force that is deleted, and lets its addresses in again once it is empty", async () => {
  await group("blocklist", `${stranger}/32`);
  const deny = [{ name: "listed", from: [{ addressGroup: { name: "blocklist" } }] }];
  await policy("blocks", { firewall: { inbound: { deny, defaultAction: "Allow" } } });
  await ready("blocks");
  expect([await reaches(stranger), await reaches(second)]).toEqual([false, true]);
  await kubectl("delete", "phag", "blocklist");
  const told = ["get", "phnode", worker.name, "-o", "jsonpath={.status.policies[0].reason}"];
  await until("the agent to say so", async () => (await kubectl(...told)).stdout === "AddressGroupMissing");
  expect([await reaches(stranger), await reaches(second)]).toEqual([false, true]);
  await until("the policy to say so", async () => {
    const { stdout } = await kubectl("get", "phpol", "blocks", "-o", "jsonpath={.status.status} {.status.message}");
    return /^Ready .*address group "blocklist": gone; the last addresses stay denied/.test(stdout);
  });
  await group("blocklist");
  await until("the stranger to be let in", () => reaches(stranger));
});

it("takes 100,000 addresses in 50 groups of one label as one list, and an edit of one of them at once", async () => {
  // Odd addresses only, so that no two make a block.
  const address = (n: number) => `198.${18 + (n >> 15)}.${(n >> 7) & 255}.${((n & 127) << 1) | 1}/32`;
  const part = (at: number) => Array.from({ length: 2000 }, (_, n) => address(2000 * at + n));
  const labels = { list: "big" };
  const last = part(49).slice(1);
  const items = Array.from({ length: 49 }, (_, at) => groupObject(`big-${at}`, part(at), labels));
  items.push(groupObject("big-49", [...last, `${stranger}/32`], labels));
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const deny = [{ name: "big", from: [{ addressGroup: { selector: { matchLabels: labels } } }] }];
  await policy("blocks", { firewall: { inbound: { deny, defaultAction: "Allow" } } });
  await until("the stranger to be kept out", async () => !(await reaches(stranger)));
  const sizes = (await worker.exec("ipset", ["list", "-t"])).stdout.match(/entries: \d+/g);
  expect(sizes).toContain("entries: 100000");
  expect(await reaches(second)).toBe(true);
  await cluster.apply(JSON.stringify(groupObject("big-49", last, labels)));
  await until("the stranger to be let in", () => reaches(stranger));
});
