import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { killOnceApplied } from "../test/lab/kill-once-applied.ts";
import type { Lab } from "../test/lab/lab.ts";
import { served } from "../test/lab/operator-cluster.ts";
import { IMAGE_VARIABLE } from "../test/node/build-image.ts";
import {
  type ClusterToInstallInto,
  NAMESPACE,
  RELEASE,
  startClusterToInstallInto,
} from "../test/node/cluster/cluster-to-install-into.ts";
import { buildImage, imageArchive } from "../test/node/cluster/image.ts";
import type { RealNode } from "../test/node/cluster/real-cluster.ts";
import { webObjects } from "../test/node/cluster/servers.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { shownKubectl } from "./kubectl.ts";
import { sourcePrefixes } from "./policy.ts";
import type { Show } from "./show.ts";

/** Where the chart puts it. */
const STATE_DIRECTORY = "/var/lib/port-hardening";

/** Two nodes with real kubelet, containerd and kube-proxy, on which the operator is installed with its chart. */
export async function startKubeletCluster(lab: Lab, show: Show): Promise<DemoCluster> {
  const cluster = await startClusterToInstallInto(lab, {
    archive: await operatorImage(lab, show),
    sources: sourcePrefixes,
    servers: webObjects,
    onProgress: show.note,
  });
  const { controlPlane, nodes, outside, apply } = cluster;
  for (const node of nodes) await (await node.traffic()).listen("tcp", [served.hostPort]);
  await controlPlane.kubectl(["label", "nodes", "--all", "role=worker"]);
  return {
    controlPlane,
    workers: nodes.map((node) => demoNode(cluster, node)),
    outside,
    // Its Services have IPv4 addresses only.
    nodePortsOverIpv6: false,
    async install() {
      const { stdout } = await cluster.install();
      show.command(
        `helm upgrade --install ${RELEASE} charts/port-hardening --namespace ${NAMESPACE} --create-namespace --wait`,
        // The chart's notes say what the demo does next.
        stdout.replace(/^NOTES:.*/ms, ""),
      );
      await shownKubectl(show, controlPlane)("get", "pods", "--all-namespaces", "-o", "wide");
    },
    apply,
  };
}

async function operatorImage(lab: Lab, show: Show): Promise<string> {
  const built = process.env[IMAGE_VARIABLE];
  if (built !== undefined) return imageArchive(built);
  show.note("building the operator's image (half a minute)");
  const folder = join(lab.folder, "image");
  await buildImage(folder);
  return imageArchive(folder);
}

function demoNode({ controlPlane }: ClusterToInstallInto, node: RealNode): DemoNode {
  const agents = ["--namespace", NAMESPACE, "--selector", "app.kubernetes.io/component=agent"];
  const pod = async () => {
    const on = ["--field-selector", `spec.nodeName=${node.name}`, "-o", "name"];
    return (await controlPlane.kubectl(["get", "pods", ...agents, ...on])).stdout.trim();
  };
  const logs = async (container: string) =>
    (await controlPlane.kubectl(["logs", "--namespace", NAMESPACE, await pod(), "--container", container])).stdout;
  const logsCommand = `kubectl logs --namespace ${NAMESPACE} $(kubectl get pods ${agents.join(" ")} --field-selector spec.nodeName=${node.name} -o name)`;
  const signalKubelet = async (signal: "STOP" | "CONT") => {
    const kubelet = await readFile(join(node.folder, "kubelet.pid"), "utf8");
    await node.exec("kill", [`-${signal}`, kubelet.trim()]);
  };
  return {
    ...node,
    sysctlDirectory: join(node.folder, "etc/upper/sysctl.d"),
    agentLog: {
      read: () => logs("agent"),
      search: (pattern) => `${logsCommand} | grep -m1 '${pattern}'`,
    },
    agent: {
      async killOnceApplied() {
        const { stdout } = await node.exec("pgrep", ["--full", "--exact", "node .*/opt/porthardening/.* agent"]);
        // It would start the agent anew, which would take the change back by itself.
        await signalKubelet("STOP");
        await killOnceApplied(node, `${STATE_DIRECTORY}/guard`, Number(stdout.trim()));
        return "kill -9 of the agent's process, while kubelet stands still";
      },
      start: () => signalKubelet("CONT"),
    },
    guard: {
      folder: join(node.folder, "own", STATE_DIRECTORY, "guard"),
      log: () => logs("guard"),
      logCommand: `${logsCommand} --container guard`,
    },
  };
}
