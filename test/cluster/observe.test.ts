import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import { agentsReady, type OperatorCluster, served, startOperatorCluster } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const office = "203.0.113.7";
const stranger = "198.51.100.9";
const RANGE = "net.ipv4.ip_local_port_range";

let lab: Lab;
let cluster: OperatorCluster;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${stranger}/24`] });
  await cluster.startController();
  await Promise.all(cluster.workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
});
afterAll(() => lab?.close());

async function apply(name: string, spec: object): Promise<void> {
  const object = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name }, spec };
  await cluster.apply(JSON.stringify(object));
}

async function kubectl(...args: string[]): Promise<string> {
  return (await cluster.controlPlane.kubectl(args)).stdout;
}

async function reaches(from: string): Promise<string[]> {
  const outside = await cluster.outside.traffic();
  const attempts = cluster.workers.map(({ ipv4 }) => ({ from, to: ipv4, port: served.hostPort }));
  return (await outside.connectAll(attempts)).map(({ outcome }) => outcome);
}

const inbound = { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] };
const spec = { firewall: { inbound }, ephemeralPorts: { range: "50000-60000" } };

it("says which packets and settings a policy would change, while it changes none; then it is enforced", async () => {
  await apply("tried", { mode: "Observe", ...spec });
  await kubectl("wait", "--for=condition=Ready", "phpol/tried", "--timeout=15s");
  expect(await reaches(stranger)).toEqual(["connected", "connected"]);
  expect(await reaches(office)).toEqual(["connected", "connected"]);
  // Agents take a reading whenever they have verified everything: after each change, else once a minute.
  await apply("other", { mode: "Enforce", sysctls: { "net.ipv4.tcp_syncookies": "1" } });

  let seen = "";
  const { status } = await waitFor(
    "the policy's status to say what it would drop on both nodes",
    async () => {
      seen = await kubectl("get", "phpol", "tried", "-o", "json");
      const policy = JSON.parse(seen);
      return policy.status?.observed?.[0]?.packets === 2 ? policy : undefined;
    },
    { timeoutMilliseconds: 15_000, lastSeen: () => seen },
  );
  expect(status).toMatchObject({ status: "Observing", wouldDropPackets: 2, wouldOpenPackets: 0, droppedPackets: 0 });
  expect(status.nodes).toEqual({ selected: 2, enforced: 2, failed: 0, unknown: 0 });
  expect(status.observed).toEqual([
    {
      direction: "Inbound",
      entry: "default",
      would: "Drop",
      packets: 2,
      topPeers: [{ address: stranger, packets: 2 }],
    },
  ]);
  expect(status.wouldSet).toEqual([{ key: RANGE, value: "50000 60000", measured: "32768 60999", nodes: 2 }]);
  const ready = status.conditions.find(({ type }: { type: string }) => type === "Ready");
  expect(ready).toMatchObject({
    status: "True",
    reason: "Observing",
    message: "All of 2 nodes observe it, and change nothing.",
  });

  const columns = (await kubectl("get", "phpol", "tried", "-o", "wide")).split("\n");
  expect(columns[0]).toMatch(/^NAME +MODE .* STATUS .* WOULD-DROP +WOULD-OPEN /);
  expect(columns[1]).toMatch(/^tried +Observe +2 +2 +0 +0 +Observing .* 2 +0 +All of 2 nodes observe it/);
  const state = JSON.parse(await kubectl("get", "phnode", cluster.workers[0]?.name ?? "", "-o", "json"));
  expect(state.status.observed).toMatchObject([{ policy: "tried", topPeers: [{ address: stranger, packets: 1 }] }]);

  await apply("tried", { mode: "Enforce", ...spec });
  const enforced = "--for=jsonpath={.status.status}=Ready";
  await kubectl("wait", enforced, "phpol/tried", "--timeout=15s");
  expect(await reaches(stranger)).toEqual(["timeout", "timeout"]);
  expect(await reaches(office)).toEqual(["connected", "connected"]);
  const after = JSON.parse(await kubectl("get", "phpol", "tried", "-o", "json"));
  expect(after.status).not.toHaveProperty("wouldDropPackets");
  expect(after.status.range).toBe("50000-60000");
});
