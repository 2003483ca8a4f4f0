import { createInterface } from "node:readline";
import { deleteRulesAndTime } from "../demo/drift.ts";
import { kubeClient } from "../src/kube/client.ts";
import { loadKubeConfig } from "../src/kube/kube-config.ts";
import { resources } from "../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../src/kube/types.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import type { OperatorCluster, WorkerNode } from "../test/lab/operator-cluster.ts";
import { waitFor } from "../test/lab/wait-for.ts";

type Strategy = "Progressive" | "Immediate";

/** A policy like the demo's, whose every revision changes rules, sets and the port range on every node. */
function policyRevision(revision: number, strategy: Strategy): KubeObject & { spec: object } {
  const cidr = `203.0.${100 + (revision % 100)}.0/24`;
  return {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "bench" },
    spec: {
      mode: "Enforce",
      ephemeralPorts: { range: `${49_152 + (revision % 2)}-65535` },
      firewall: {
        inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr } }], ports: [8443, "30000-32767"] }] },
      },
      rateLimits: [{ name: "per-source", newConnections: { limit: 10, per: "Minute", burst: 20 } }],
      rollout: { strategy },
    },
  };
}

/** Milliseconds from the API server's answer to a changed policy until Ready for that revision, as a watch sees it. */
export async function timeApplies(cluster: OperatorCluster, runs: number, strategy: Strategy): Promise<number[]> {
  const api = await cluster.controlPlane.forward();
  const client = kubeClient(loadKubeConfig(api.kubeconfig));
  const samples: number[] = [];
  try {
    for (let revision = 0; revision <= runs; revision++) {
      const milliseconds = await timeApply(client, revision, strategy);
      // The first one installs everything from nothing and warms the processes up; it is not a sample.
      if (revision > 0) samples.push(milliseconds);
      // A policy's status is written once a second, and each apply takes two writes: so that every sample starts alike.
      await new Promise((resolve) => setTimeout(resolve, 2_200));
    }
  } finally {
    await client.close();
    await api.close();
  }
  return samples;
}

async function timeApply(client: KubeClient, revision: number, strategy: Strategy): Promise<number> {
  const applied = await client.apply(resources.policies, policyRevision(revision, strategy), { fieldManager: "bench" });
  const from = performance.now();
  const { resourceVersion, generation } = applied.metadata;
  if (resourceVersion === undefined) throw new Error("an applied object without a resourceVersion");
  const stop = AbortSignal.timeout(20_000);
  const options = { fieldSelector: "metadata.name=bench", resourceVersion, timeoutSeconds: 30 };
  for await (const event of client.watch(resources.policies, options, stop)) {
    if (event.type === "MODIFIED" && isReady(event.object, generation)) return performance.now() - from;
  }
  throw new Error(`revision ${revision} was not Ready within 20 s`);
}

function isReady(object: KubeObject, generation: number | undefined): boolean {
  const { status } = object as {
    status?: { observedGeneration?: number; conditions?: { type: string; status: string }[] };
  };
  const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  return ready === true && status?.observedGeneration === generation;
}

/** Milliseconds until deleted rules are back. An agent slows its repairs down after a few, so it is restarted in between. */
export async function timeRepairs(
  workers: readonly WorkerNode[],
  agents: Map<string, LabProcess>,
  runs: number,
): Promise<number[]> {
  const samples: number[] = [];
  while (samples.length < runs) {
    for (const worker of workers) {
      for (let repeat = 0; repeat < 4 && samples.length < runs; repeat++)
        samples.push(await deleteRulesAndTime(worker));
      await agents.get(worker.name)?.stop();
      agents.set(worker.name, await restarted(worker));
    }
  }
  return samples;
}

/** An agent is on guard again once it hears the kernel: one nft monitor runs in its namespace. */
async function restarted(worker: WorkerNode): Promise<LabProcess> {
  const agent = await worker.startAgent();
  await waitFor(
    `${worker.name}'s agent to watch`,
    async () =>
      (await worker.exec("cat", ["/proc/net/netlink"])).stdout
        .split("\n")
        .some((line) => /^\S+\s+12\s+\d+\s+0*[1-9a-f]/.test(line)) || undefined,
    {
      timeoutMilliseconds: 10_000,
      lastSeen: () => agent.log().slice(-300),
    },
  );
  return agent;
}

/** The least that a change costs: the tools alone, writing and reading back the same text, on all nodes at once. */
export async function timeToolsAlone(workers: readonly WorkerNode[], runs: number): Promise<number[]> {
  const saved = await Promise.all(
    workers.map(async (worker) => ({
      worker,
      four: (await worker.exec("iptables-nft-save", ["-t", "mangle"])).stdout,
      six: (await worker.exec("ip6tables-nft-save", ["-t", "mangle"])).stdout,
    })),
  );
  const samples: number[] = [];
  for (let run = 0; run < runs; run++) {
    const from = performance.now();
    await Promise.all(
      saved.map(async ({ worker, four, six }) => {
        await worker.exec("ipset", ["restore"], {
          input: "create -exist bench hash:net\nadd -exist bench 203.0.113.0/24\n",
        });
        await worker.exec("iptables-nft-restore", [], { input: four });
        await worker.exec("ip6tables-nft-restore", [], { input: six });
        await Promise.all([
          worker.exec("iptables-nft-save", ["-t", "mangle"]),
          worker.exec("ip6tables-nft-save", ["-t", "mangle"]),
        ]);
      }),
    );
    samples.push(performance.now() - from);
  }
  await Promise.all(workers.map((worker) => worker.exec("ipset", ["destroy", "bench"])));
  return samples;
}

/** A Node process that does nothing: the floor of start-up. */
export async function timeBareNode(
  worker: WorkerNode,
  runs: number,
): Promise<{ starts: number[]; process: LabProcess }> {
  const starts: number[] = [];
  for (;;) {
    const from = performance.now();
    const started = await worker.spawn(
      "bare",
      process.execPath,
      ["-e", "console.log('up'); setInterval(() => {}, 1e6)"],
      { stdio: "pipe" },
    );
    const { stdout } = started.child;
    if (stdout === null) throw new Error("the bare process has no output");
    for await (const line of createInterface({ input: stdout })) if (line === "up") break;
    starts.push(performance.now() - from);
    if (starts.length === runs) return { starts, process: started };
    await started.kill();
  }
}
