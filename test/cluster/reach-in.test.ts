import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { PortHardeningNodeState } from "../../src/api/node-state.ts";
import type { PolicyStatus } from "../../src/api/policy.ts";
import { assign } from "../../src/plan/plan-hash.ts";
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
import { planOf, policy } from "../unit/plan/policies.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const kubelet = 10250;
const source = "203.0.113.7";
const reversePathFilter = "net.ipv4.conf.all.rp_filter";

let lab: Lab;
let cluster: OperatorCluster;
let controller: LabProcess;
let target: WorkerNode;
let peers: readonly WorkerNode[];

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 3, sources: [`${source}/24`] });
  const [first, ...others] = cluster.workers;
  if (first === undefined) throw new Error("three workers were asked for");
  [target, peers] = [first, others];
  // By IPv4 alone, so that one way is what the node is reached by.
  await (await target.traffic()).listen("tcp", [kubelet], target.ipv4);
  await Promise.all(peers.map(wayBack));
  controller = await cluster.startController();
  await Promise.all(cluster.workers.map((worker) => worker.startAgent(["--prime-seconds", "0"])));
  await agentsReady(cluster);
});
afterAll(() => lab?.close());

/** What the node says to a peer goes by another way than it comes: a strict reverse path filter drops what comes. */
async function wayBack(peer: WorkerNode, index: number): Promise<void> {
  const device = `back${index}`;
  await target.exec("ip", ["link", "add", device, "type", "veth", "peer", "name", "back", "netns", peer.namespace]);
  await target.exec("ip", ["link", "set", device, "up"]);
  await peer.exec("ip", ["link", "set", "back", "up"]);
  await target.exec("ip", ["route", "add", `${peer.ipv4}/32`, "dev", device]);
}

const kubectl = (...args: string[]) => cluster.controlPlane.kubectl(args);

async function nodeState(name: string): Promise<PortHardeningNodeState> {
  return JSON.parse((await kubectl("get", "phnode", name, "-o", "json")).stdout);
}

const apply = (mode: "0" | "1") =>
  cluster.apply(
    JSON.stringify({
      apiVersion: "porthardening.io/v1alpha1",
      kind: "PortHardeningPolicy",
      metadata: { name: "paths" },
      spec: {
        mode: "Enforce",
        nodeSelector: { matchLabels: { "kubernetes.io/hostname": target.name } },
        sysctls: { [reversePathFilter]: mode },
      },
    }),
  );

async function policyWhere(what: string, holds: (seen: PolicyStatus) => boolean): Promise<PolicyStatus> {
  let seen: PolicyStatus | undefined;
  return waitFor(
    what,
    async () => {
      seen = JSON.parse((await kubectl("get", "phpol/paths", "-o", "json")).stdout).status;
      return seen !== undefined && holds(seen) ? seen : undefined;
    },
    { timeoutMilliseconds: 120_000, lastSeen: () => JSON.stringify(seen) },
  );
}

async function reachableFrom(host: WorkerNode | OperatorCluster["outside"], port: number): Promise<boolean> {
  const from = host === cluster.outside ? { from: source } : {};
  return (await (await host.traffic()).connect({ to: target.ipv4, port, ...from })).outcome === "connected";
}

const filter = async () => (await target.exec("sysctl", ["-n", reversePathFilter])).stdout.trim();

it("confirms a change behind which peers reach the node, and leaves nothing of the question", async () => {
  expect(await Promise.all(peers.map((peer) => reachableFrom(peer, kubelet)))).toEqual([true, true]);
  await apply("0");
  await policyWhere("the change to be confirmed", ({ status, nodes }) => status === "Ready" && nodes?.enforced === 1);
  let seen = "";
  await waitFor(
    "questions and answers to be gone",
    async () => {
      const states = await Promise.all(cluster.workers.map(({ name }) => nodeState(name)));
      const traces = states.flatMap(({ spec: { probes = [], probeAnswers = [] }, status }) => [
        ...probes,
        ...probeAnswers,
        ...(status?.probeResults ?? []),
        ...(status?.reachRequests ?? []),
      ]);
      seen = JSON.stringify(traces);
      return traces.length === 0 ? true : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => seen },
  );
});

it("takes a change back that cuts only the peers' way in, says who did not reach what, and charges it", async () => {
  await apply("1");
  const { message, nodes } = await policyWhere("the change to be rolled back", ({ nodes: all }) => all?.failed === 1);
  expect(nodes).toMatchObject({ selected: 1, enforced: 0, failed: 1 });
  const place = `${target.ipv4}:${kubelet}`;
  expect(message).toContain("answered before the change, not behind it, and again after the roll-back");
  // Of both, unless one of them took its time.
  expect(message).toMatch(new RegExp(`reach-in from (?:${peers.map(({ name }) => name).join("|")}) to ${place}`));
  expect(message).not.toMatch(/API server|gateway|kubelet on/);
  expect((await nodeState(target.name)).status?.policies).toMatchObject([{ state: "RolledBack" }]);
  expect(await filter()).toBe("0");
  expect(await Promise.all(peers.map((peer) => reachableFrom(peer, kubelet)))).toEqual([true, true]);
});

it("judges a change by its other probes where no controller relays the question", async () => {
  await controller.stop();
  // As the controller would have written it.
  const plan = { ...planOf({}, "unseen"), sysctls: { [reversePathFilter]: "1" } };
  const unseen = assign(policy({}, "unseen"), plan);
  const patch = JSON.stringify({ spec: { policies: [unseen] } });
  await kubectl("patch", "phnode", target.name, "--type=merge", "-p", patch);
  let seen: unknown;
  await waitFor(
    "the change to be confirmed without the peers",
    async () => {
      const policies = (await nodeState(target.name)).status?.policies ?? [];
      seen = policies;
      return policies.find(({ name, state }) => name === "unseen" && state === "Enforced");
    },
    { timeoutMilliseconds: 120_000, lastSeen: () => JSON.stringify(seen) },
  );
  expect(await filter()).toBe("1");
  // That is what the probe would have told: those that come and go by one way reach the node, peers do not.
  expect(await reachableFrom(cluster.outside, served.hostPort)).toBe(true);
  expect(await Promise.all(peers.map((peer) => reachableFrom(peer, kubelet)))).toEqual([false, false]);
});
