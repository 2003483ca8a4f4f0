import { join } from "node:path";
import { killOnceApplied } from "../test/lab/kill-once-applied.ts";
import type { Lab } from "../test/lab/lab.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import { agentsReady, startOperatorCluster } from "../test/lab/operator-cluster.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { sourcePrefixes } from "./policy.ts";
import type { Show } from "./show.ts";

/** Three nodes that are network namespaces; controller and agents are processes of this machine. */
export async function startNamespaceCluster(lab: Lab, show: Show): Promise<DemoCluster> {
  const cluster = await startOperatorCluster(lab, { workers: 3, sources: sourcePrefixes, onProgress: show.note });
  const agents = new Map<string, LabProcess>();
  const workers = cluster.workers.map((worker): DemoNode => {
    const start = async () => void agents.set(worker.name, await worker.startAgent());
    const guardFolder = join(worker.stateDirectory, "guard");
    return {
      ...worker,
      agentLog: {
        read: async () => agents.get(worker.name)?.log() ?? "",
        search: (pattern) => `grep -m1 '${pattern}' agent.log   (of ${worker.name})`,
      },
      agent: {
        async killOnceApplied() {
          const agent = agents.get(worker.name);
          if (agent === undefined) throw new Error(`no agent runs on ${worker.name}`);
          await killOnceApplied(worker, guardFolder, agent.pid);
          await agent.exited;
          return "kill -9 of the agent";
        },
        start,
      },
      guard: {
        folder: guardFolder,
        log: async () => worker.guard.current?.log() ?? "",
        logCommand: `cat guard.log   (of ${worker.name})`,
      },
    };
  });
  return {
    ...cluster,
    workers,
    nodePortsOverIpv6: true,
    async install() {
      show.note("starting the controller and an agent in each node's namespace");
      await cluster.startController();
      await Promise.all(workers.map((worker) => worker.agent.start()));
      await agentsReady(cluster);
    },
  };
}
