import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeStateStatus } from "../src/api/node-state.ts";
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
/** Both ends of a connection are files of the process that holds it, and many systems give a process 20,000 at most. */
const HOLDERS = 4;
const FIRST_PORT = 20_000;
/** With checks that are made each minute. */
const WINDOW_MILLISECONDS = 65_000;
/** Listeners that say nothing are asked for 100 s. */
const AUDIT_MILLISECONDS = 180_000;
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
    await agent.waitForLog(/"audited"/, AUDIT_MILLISECONDS);
    await sleep(SETTLE_MILLISECONDS);
    await expectSeen(client, worker);
    const watching = await cpuPercent(agent);
    const memory = residentMebibytes(agent);
    const delays: number[] = [];
    while (delays.length < runs) delays.push(await timeListener(client, worker));
    return [
      {
        name: `watching ${LISTENERS} listeners, ${CONNECTIONS} connections`,
        unit: "% of a core",
        measured: summarise([watching - without]),
        aim: 1,
        floor: { name: "agent without", measured: summarise([without]) },
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
    await Promise.all([agent.stop(), ...sockets.map((held) => held.kill())]);
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

/** Resolves when all are there; throws where they are not, or what is measured would be another node. */
async function holdSockets(worker: WorkerNode): Promise<readonly LabProcess[]> {
  const [listeners, connections] = [LISTENERS / HOLDERS, CONNECTIONS / HOLDERS];
  return Promise.all(
    Array.from({ length: HOLDERS }, async (_, index) => {
      const args = [holder, `${listeners}`, `${connections}`, `${FIRST_PORT + index * listeners}`];
      const held = await worker.spawn(`sockets-${index}`, process.execPath, args, { stdio: "pipe" });
      const { stdout } = held.child;
      if (stdout === null) throw new Error("the process that holds sockets has no output");
      for await (const line of createInterface({ input: stdout })) if (line.startsWith("listening")) return held;
      throw new Error(`the process that holds sockets has ended: ${held.log()}`);
    }),
  );
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

/** That the agent saw them all: otherwise what it costs says nothing. */
async function expectSeen(client: KubeClient, worker: WorkerNode): Promise<void> {
  const { listeners, connections } = (await auditedStatus(client, worker)) ?? {};
  if ((listeners?.count ?? 0) < LISTENERS || (connections?.established ?? 0) < 2 * CONNECTIONS) {
    throw new Error(`the agent saw ${listeners?.count} listeners and ${connections?.established} ends of connections`);
  }
}

async function auditedStatus(client: KubeClient, worker: WorkerNode): Promise<NodeStateStatus | undefined> {
  const state = (await client.get(resources.nodeStates, { name: worker.name })) as { status?: NodeStateStatus };
  return state.status;
}

/** From the bind until the API server has the finding. */
async function timeListener(client: KubeClient, worker: WorkerNode): Promise<number> {
  const findings = async (): Promise<number> => {
    const { audit } = (await auditedStatus(client, worker)) ?? {};
    return audit?.top.filter(({ port, check }) => port === 9999 && check === "listeners").length ?? 0;
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
