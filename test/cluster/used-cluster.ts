import type { Lab } from "../lab/lab.ts";
import { agentsReady, type OperatorCluster, served, startOperatorCluster } from "../lab/operator-cluster.ts";
import type { OpenConnection } from "../lab/traffic/traffic.ts";

export const office = "203.0.113.7";
export const stranger = "198.51.100.9";

/** A cluster at work that is in use when a policy comes. */
export interface UsedCluster {
  readonly cluster: OperatorCluster;
  /** An administrator's. */
  readonly kubeconfig: string;
  /** To the host port of each worker: two of the stranger, then one of the office. */
  readonly open: readonly OpenConnection[];
}

export async function usedCluster(lab: Lab, workers: number): Promise<UsedCluster> {
  const cluster = await startOperatorCluster(lab, { workers, sources: [`${office}/24`, `${stranger}/24`] });
  await cluster.startController();
  await Promise.all(cluster.workers.map((worker) => worker.startAgent(["--prime-seconds", "0"])));
  await agentsReady(cluster);
  const { kubeconfig } = await cluster.controlPlane.forward();
  const outside = await cluster.outside.traffic();
  const attempts = cluster.workers.flatMap(({ ipv4: to }) => [
    { from: stranger, to, port: served.hostPort },
    { from: stranger, to, port: served.hostPort },
    { from: office, to, port: served.hostPort },
  ]);
  const open = await Promise.all(attempts.map((attempt) => outside.open(attempt, { timeoutMilliseconds: 10_000 })));
  return { cluster, kubeconfig, open };
}
