import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { kubeClient } from "../src/kube/client.ts";
import { loadKubeConfig } from "../src/kube/kube-config.ts";
import { resources } from "../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../src/kube/types.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import type { OperatorCluster, WorkerNode } from "../test/lab/operator-cluster.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import { residentMebibytes } from "./processes.ts";
import { type Figure, summarise } from "./statistics.ts";

const LISTENERS = 500;
const CONNECTIONS = 10_000;
/** With checks that are made each minute. */
const WINDOW_MILLISECONDS = 65_000;
/** After a start and an audit. */
const SETTLE_MILLISECONDS = 5_000;
/** USER_HZ: what /proc counts in, on every architecture that Node knows. */
const TICK_MILLISECONDS = 10;
const holder = resolve(import.meta.dirname, "../test/netns/audit/hold-connections.ts");

/** What watching and auditing costs an agent: the same node and sockets without a policy that asks for them is the floor. */
export async function measureAudits(cluster: OperatorCluster, worker: WorkerNode, runs: number): Promise<Figure[]> {
  const api = await cluster.controlPlane.forward();
  const client = kubeClient(loadKubeConfig(api.kubeconfig));
  const sockets = await holdSockets(worker);
  const agent = await worker.startAgent();
  try {
    await client.apply(resources.policies, policy({}), { fieldManager: "bench" });
    await agent.waitForLog(/policies enforced/, 20_000);
    await sleep(SETTLE_MILLISECONDS);
    const without = await cpuPercent(agent);
    const memoryWithout = residentMebibytes(agent);
    await client.apply(resources.policies, policy(AUDITED), { fieldManager: "bench" });
    await agent.waitForLog(/"audited"/, 60_000);
    await sleep(SETTLE_MILLISECONDS);
    const watching = await cpuPercent(agent);
    const memory = residentMebibytes(agent);
    const delays: number[] = [];
    while (delays.length < runs) delays.push(await timeListener(client, worker));
    return [
      {
        name: `watching ${LISTENERS} listeners, ${CONNECTIONS} connections`,
        unit: "% of a core",
        measured: summarise([watching]),
        aim: 1,
        floor: { name: "without", measured: summarise([without]) },
      },
      {
        name: "agent: resident memory, watching them",
        unit: "MiB",
        measured: summarise([memory]),
        floor: { name: "without", measured: summarise([memoryWithout]) },
      },
      { name: "new listener -> finding in status", unit: "ms", measured: summarise(delays), aim: 7_000 },
    ];
  } finally {
    await Promise.all([agent.stop(), sockets.kill()]);
    await client.close();
    await api.close();
  }
}

const AUDITED = {
  monitoring: { listeners: { expected: [{ port: "20000-20499" }, { port: 8443 }, { port: 9000 }] } },
  audit: {},
};

function policy(asks: object): KubeObject & { readonly spec: object } {
  const inbound = { ports: ["1024-65535"], defaultAction: "Allow" };
  return {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "bench" },
    spec: { mode: "Enforce", firewall: { inbound }, ...asks },
  };
}

async function holdSockets(worker: WorkerNode): Promise<LabProcess> {
  const args = [holder, `${LISTENERS}`, `${CONNECTIONS}`];
  const held = await worker.spawn("sockets", process.execPath, args, { stdio: "pipe" });
  const { stdout } = held.child;
  if (stdout === null) throw new Error("the process that holds sockets has no output");
  for await (const line of createInterface({ input: stdout })) if (line.startsWith("listening")) break;
  return held;
}

/** Of one processor, with that of the tools that it started and that have ended. */
async function cpuPercent({ pid }: LabProcess): Promise<number> {
  const from = cpuMilliseconds(pid);
  const start = performance.now();
  await sleep(WINDOW_MILLISECONDS);
  return ((cpuMilliseconds(pid) - from) * 100) / (performance.now() - start);
}

/** utime, stime, cutime and cstime: fields 14 to 17 of /proc/PID/stat (proc(5)). */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ").slice(11, 15) ?? [];
  return fields.map(Number).reduce((sum, ticks) => sum + ticks, 0) * TICK_MILLISECONDS;
}

/** From the bind until the API server has the finding. */
async function timeListener(client: KubeClient, worker: WorkerNode): Promise<number> {
  const findings = async (): Promise<number> => {
    const state = (await client.get(resources.nodeStates, { name: worker.name })) as {
      readonly status?: { readonly audit?: { readonly top: readonly { readonly port?: number }[] } };
    };
    return state.status?.audit?.top.filter(({ port }) => port === 9999).length ?? 0;
  };
  const wait = { timeoutMilliseconds: 30_000, intervalMilliseconds: 25 };
  const traffic = await worker.traffic();
  const from = performance.now();
  const listener = await traffic.listen("tcp", [9999]);
  await waitFor("the new listener to be found", async () => (await findings()) > 0 || undefined, wait);
  const milliseconds = performance.now() - from;
  await listener.close();
  await waitFor("it to be gone", async () => (await findings()) === 0 || undefined, wait);
  return milliseconds;
}
