import { join, resolve } from "node:path";
import type { Host } from "../../lab/hosts.ts";
import type { Lab } from "../../lab/lab.ts";
import type { ExecResult } from "../../lab/network-namespace.ts";
import { IMAGE_REPOSITORY, IMAGE_TAG } from "./image.ts";
import { type RealCluster, type RealNode, startRealCluster } from "./real-cluster.ts";

const project = resolve(import.meta.dirname, "../../..");
const helmProgram = join(project, ".cache/bin/helm");

export const CHART = join(project, "charts/port-hardening");
export const NAMESPACE = "port-hardening";
export const RELEASE = "port-hardening";

/** What every install here says: the image that was built, and no waiting for conntrack to learn what goes on. */
const VALUES = [
  `image.repository=${IMAGE_REPOSITORY}`,
  `image.tag=${IMAGE_TAG}`,
  "image.pullPolicy=Never",
  "agent.primeSeconds=1",
];

/** A cluster with real nodes, servers on them, and an outside client. The operator is installed by the caller. */
export interface ClusterToInstallInto extends RealCluster {
  /** Outside the cluster, with many source addresses; it finds service addresses by way of the first node. */
  readonly outside: Host;
  readonly first: RealNode;
  readonly second: RealNode;
  /** Installs the chart, or upgrades the release, and waits until all is Ready. `set` as in --set. */
  install(set?: readonly string[], chart?: string): Promise<ExecResult>;
  /** helm with an administrator's kubeconfig; throws with its stderr. */
  helm(args: readonly string[]): Promise<ExecResult>;
  /** Applies it with kubectl; returns what that printed. */
  apply(object: object | string): Promise<string>;
  /** `kubectl get ... -o json`, parsed. */
  get<T>(...args: readonly string[]): Promise<T>;
}

export interface ClusterOptions {
  /** OCI archive of the operator's image. */
  readonly archive: string;
  readonly sources: readonly string[];
  /** Objects with pods to send packets to (test/node/cluster/servers.ts). */
  readonly servers: readonly object[];
  readonly onProgress?: (what: string) => void;
}

/** Starts it; resolves when the servers run. */
export async function startClusterToInstallInto(
  lab: Lab,
  { archive, sources, servers, onProgress = () => undefined }: ClusterOptions,
): Promise<ClusterToInstallInto> {
  const cluster = await startRealCluster(lab, { nodes: 2, images: [archive], onProgress });
  const { controlPlane, nodes } = cluster;
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error("two nodes were asked for");
  const outside = await lab.client("outside", { sources });
  await outside.exec("ip", ["route", "add", "198.19.240.0/20", "via", first.ipv4]);

  const home = join(lab.folder, "helm");
  const env = {
    KUBECONFIG: controlPlane.kubeconfig,
    HELM_CACHE_HOME: join(home, "cache"),
    HELM_CONFIG_HOME: join(home, "config"),
    HELM_DATA_HOME: join(home, "data"),
  };
  const helm = (args: readonly string[]) => lab.root.exec(helmProgram, args, { env, timeoutMilliseconds: 240_000 });
  const { kubectl } = controlPlane;
  const apply = async (object: object | string) => {
    const input = typeof object === "string" ? object : JSON.stringify(object);
    return (await kubectl(["apply", "-f", "-"], { input })).stdout.trim();
  };
  onProgress("starting servers to send packets to");
  await apply({ apiVersion: "v1", kind: "List", items: servers });
  for (const wait of [
    ["rollout", "status", "deployment/web"],
    ["wait", "--for=condition=Ready", "pod", "--all"],
  ]) {
    await kubectl([...wait, "--timeout=180s"], { timeoutMilliseconds: 190_000 });
  }
  return {
    ...cluster,
    outside,
    first,
    second,
    helm,
    apply,
    install(set = [], chart = CHART) {
      const values = [...VALUES, ...set].flatMap((value) => ["--set", value]);
      const how = ["--install", "--create-namespace", "--wait", "--timeout", "180s"];
      return helm(["upgrade", RELEASE, chart, "--namespace", NAMESPACE, ...how, ...values]);
    },
    async get<T>(...args: readonly string[]) {
      return JSON.parse((await kubectl(["get", ...args, "-o", "json"])).stdout) as T;
    },
  };
}
