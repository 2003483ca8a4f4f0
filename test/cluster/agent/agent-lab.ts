import { join } from "node:path";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import { retryOnConflict } from "../../../src/kube/retry-on-conflict.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import type { ControlPlane } from "../../lab/control-plane.ts";
import { publishServiceAddress } from "../../lab/destination-nat.ts";
import type { Host } from "../../lab/hosts.ts";
import { createLab } from "../../lab/lab.ts";
import { type LabProcess, tail } from "../../lab/lab-process.ts";
import { startOperatorCluster, type WorkerNode } from "../../lab/operator-cluster.ts";
import { operatorProgram } from "../../lab/operator-program.ts";
import { waitFor } from "../../lab/wait-for.ts";

const [program, ...first] = operatorProgram;
export const nodeName = "node1";
const namespace = "port-hardening";

/** One node with the real agent, the real API server and kernel, and no controller: the test writes the NodeState. */
export interface AgentLab {
  readonly controlPlane: ControlPlane;
  /** An administrator's. */
  readonly admin: KubeClient;
  readonly node: WorkerNode;
  readonly outside: Host;
  /** Starts the agent under its own service account; works with the API server away too. */
  /** `through`: a program, with its arguments, that starts it. */
  startAgent(flags?: readonly string[], through?: readonly string[]): Promise<LabProcess>;
  /** Creates or replaces the NodeState, as the controller does. */
  assign(policies: readonly unknown[], more?: { readonly auditRequest: string }): Promise<void>;
  status(): Promise<NodeStateStatus | undefined>;
  /** Waits until the status is as `holds` says; gives it. */
  statusWhere(what: string, holds: (status: NodeStateStatus) => boolean): Promise<NodeStateStatus>;
  /** Our rules, as the kernel holds them: with the handles, which change where a rule is written anew. */
  rules(): Promise<string>;
  /** All rules of everybody and all sets, without counters: what a cleared node must be like before. */
  everything(): Promise<string>;
  sysctl(key: string): Promise<string>;
  close(): Promise<void>;
}

/** Where the API server has an address that the node does not show: behind the service that pods know it by. */
const SERVICE = "198.19.240.1";

/** `way`: how the agent comes to the API server. By its own address the agent finds it, and no policy can close it. */
export async function startAgentLab(
  sources: readonly string[],
  way: "OwnAddress" | "Service" = "OwnAddress",
): Promise<AgentLab> {
  const lab = await createLab();
  try {
    const { controlPlane, workers, outside } = await startOperatorCluster(lab, { workers: 1, sources });
    const [node] = workers;
    if (node === undefined) throw new Error("the lab has no node");
    const api = await controlPlane.forward();
    const admin = kubeClient(loadKubeConfig(api.kubeconfig));
    const account = { namespace, name: "port-hardening-agent", node: nodeName };
    if (way === "Service") await publishApiServer(node, controlPlane.server);
    const kubeconfig = await controlPlane.kubeconfigFor(
      account,
      way === "Service" ? `https://${SERVICE}` : controlPlane.server,
    );
    await publishNodes(
      await controlPlane.kubeconfigFor({ namespace, name: "port-hardening-controller" }, api.server),
      node,
    );
    let agents = 0;
    let agent: LabProcess | undefined;

    const nodeState = () =>
      admin.get(resources.nodeStates, { name: nodeName }) as Promise<
        (KubeObject & { readonly status?: NodeStateStatus }) | undefined
      >;

    return {
      controlPlane,
      admin,
      node,
      outside,
      async startAgent(flags = [], through = []) {
        await node.guard.ensure();
        agents += 1;
        const { stateDirectory, sysctlDirectory, hostRoot } = node;
        const own = ["--node-name", nodeName, "--state-dir", stateDirectory, "--sysctl-dir", sysctlDirectory];
        const args = [...first, "agent", ...own, "--host-root", hostRoot, "--health-port", "0", ...flags];
        const env = { KUBECONFIG: kubeconfig, POD_NAMESPACE: account.namespace };
        const [file = program, ...command] = [...through, program, ...args];
        agent = await node.spawn(`agent${agents}`, file, command, { env });
        return agent;
      },
      assign: (policies, more) =>
        // The agent writes its status into the same object meanwhile.
        retryOnConflict(async () => {
          const current = await nodeState();
          const object = {
            apiVersion: "porthardening.io/v1alpha1",
            kind: "PortHardeningNodeState",
            metadata: current?.metadata ?? { name: nodeName },
            spec: { policies, ...more },
          };
          if (current === undefined) await admin.create(resources.nodeStates, object);
          else await admin.replace(resources.nodeStates, object);
        }),
      status: async () => (await nodeState())?.status,
      async statusWhere(what, holds) {
        let seen: NodeStateStatus | undefined;
        return waitFor(
          what,
          async () => {
            seen = (await nodeState())?.status;
            return seen !== undefined && holds(seen) ? seen : undefined;
          },
          {
            timeoutMilliseconds: 60_000,
            intervalMilliseconds: 20,
            lastSeen: () => `${JSON.stringify(seen)}\nagent: ${agent === undefined ? "none" : tail(agent.log(), 5)}`,
          },
        );
      },
      async rules() {
        const families = await Promise.all(
          ["ip", "ip6"].map(
            async (family) => (await node.tryExec("nft", ["-a", "list", "table", family, "mangle"])).stdout,
          ),
        );
        // Counters, also those inside of a rule's text, are no part of what a rule is.
        return families.join("").replaceAll(/counter packets \d+ bytes \d+/g, "counter");
      },
      async everything() {
        const saves = await Promise.all(
          ["iptables-save", "ip6tables-save"].map(async (tool) => (await node.exec(tool, [])).stdout),
        );
        const rules = saves
          .join("")
          .split("\n")
          .filter((line) => line.startsWith("-A") || line.startsWith(":PH-"));
        return [...rules, (await node.exec("ipset", ["list", "-n"])).stdout].join("\n");
      },
      sysctl: async (key) => (await node.exec("sysctl", ["-n", key])).stdout.trim(),
      async close() {
        await admin.close();
        await api.close();
        await lab.close();
      },
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** As the controller does, and only it may: the cluster's own addresses. */
async function publishNodes(kubeconfig: string, node: WorkerNode): Promise<void> {
  const client = kubeClient(loadKubeConfig(kubeconfig));
  await client.create(resources.addressGroups, {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningAddressGroup",
    metadata: { name: "cluster-nodes-0", labels: { "porthardening.io/cluster": "nodes" } },
    spec: { addresses: [`${node.ipv4}/32`, `${node.ipv6}/128`] },
  } as KubeObject);
  await client.close();
}

/** The file that survives reboots. */
export function lastApplied(node: WorkerNode): string {
  return join(node.stateDirectory, "last.json");
}

async function publishApiServer(node: WorkerNode, server: string): Promise<void> {
  const { hostname: address, port } = new URL(server);
  await node.exec("ip", ["route", "replace", `${SERVICE}/32`, "via", address]);
  await publishServiceAddress(node, SERVICE, { port: 443, to: { address, port: Number(port) } });
}
