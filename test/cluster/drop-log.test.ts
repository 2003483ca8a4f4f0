import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { agentsReady, type OperatorCluster, served, startOperatorCluster } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const stranger = "198.51.100.9";

let lab: Lab;
let cluster: OperatorCluster;
let agent: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 1, sources: [`${stranger}/24`] });
  await cluster.startController();
  const [worker] = cluster.workers;
  if (worker === undefined) throw new Error("no worker");
  agent = await worker.startAgent();
  await agentsReady(cluster);
});
afterAll(() => lab?.close());

async function kubectl(...args: string[]): Promise<string> {
  return (await cluster.controlPlane.kubectl(args)).stdout;
}

it("says within seconds who is dropped: in the agent's log, and in the status of the node", async () => {
  const spec = {
    mode: "Enforce",
    firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } },
    monitoring: { dropLog: { perMinute: 30 } },
  };
  const policy = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "firm" },
    spec,
  };
  await cluster.apply(JSON.stringify(policy));
  await kubectl("wait", "--for=condition=Ready", "phpol/firm", "--timeout=15s");
  const outside = await cluster.outside.traffic();
  const to = cluster.workers[0]?.ipv4 ?? "";
  const attempt = { from: stranger, to, port: served.hostPort };
  const found = await outside.connectAll([attempt, attempt], { timeoutMilliseconds: 500 });
  expect(found.map(({ outcome }) => outcome)).toEqual(["timeout", "timeout"]);

  const line = await waitFor(
    "the agent to log who was dropped",
    async () =>
      agent
        .log()
        .split("\n")
        .find((one) => one.includes('"msg":"dropped"')),
    // Read every three seconds.
    { timeoutMilliseconds: 30_000, lastSeen: () => agent.log().slice(-500) },
  );
  const dropped = { policy: "firm", entry: "default", direction: "Inbound", source: stranger, protocol: "TCP" };
  expect(JSON.parse(line)).toMatchObject({ level: "info", ...dropped, port: served.hostPort });

  let seen = "";
  const status = await waitFor(
    "the status to name the source",
    async () => {
      seen = await kubectl("get", "phnode", cluster.workers[0]?.name ?? "", "-o", "json");
      // The rules' counters may be read a moment before who it was.
      const dropped = JSON.parse(seen).status?.dropped;
      return dropped?.[0]?.topPeers.length > 0 ? dropped : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => seen },
  );
  const entry = { policy: "firm", direction: "Inbound", entry: "default" };
  expect(status).toEqual([
    { ...entry, packets: expect.any(Number), topPeers: [{ address: stranger, packets: expect.any(Number) }] },
  ]);
  expect(status[0].packets).toBe(status[0].topPeers[0].packets);
});
