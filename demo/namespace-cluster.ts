import type { Lab } from "../test/lab/lab.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import { agentsReady, startOperatorCluster } from "../test/lab/operator-cluster.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import { sourcePrefixes } from "./policy.ts";
import type { Show } from "./show.ts";

/** Three nodes that are network namespaces; controller and agents are processes of this machine. */
export async function startNamespaceCluster(lab: Lab, show: Show): Promise<DemoCluster> {
  const cluster = await startOperatorCluster(lab, { workers: 3, sources: sourcePrefixes, onProgress: show.note });
  const agents = new Map<string, LabProcess>();
  return {
    ...cluster,
    workers: cluster.workers.map((worker) => ({
      ...worker,
      agentLog: {
        read: async () => agents.get(worker.name)?.log() ?? "",
        search: (pattern) => `grep -m1 '${pattern}' agent.log   (of ${worker.name})`,
      },
    })),
    nodePortsOverIpv6: true,
    async install() {
      show.note("starting the controller and an agent in each node's namespace");
      await cluster.startController();
      await Promise.all(cluster.workers.map(async (worker) => void agents.set(worker.name, await worker.startAgent())));
      await agentsReady(cluster);
    },
  };
}
