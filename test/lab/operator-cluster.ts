import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CLUSTER_ADDRESS_ROLES } from "../../src/api/group.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { publishNodePort } from "./destination-nat.ts";
import { type LabGuard, labGuard } from "./guard-process.ts";
import { createHostRoot } from "./host-root.ts";
import type { Host, Node } from "./hosts.ts";
import type { Lab } from "./lab.ts";
import type { LabProcess } from "./lab-process.ts";
import type { ExecResult } from "./network-namespace.ts";
import { type OperatorProgram, operatorProgram } from "./operator-program.ts";
import { waitFor } from "./wait-for.ts";

const project = resolve(import.meta.dirname, "../..");
const operatorNamespace = "port-hardening";
const controllerAccount = { namespace: operatorNamespace, name: "port-hardening-controller" };

const ownObjects = ["service/kubernetes", "endpointslice/kubernetes", "servicecidr/kubernetes"];

/** What every node of the cluster serves: a process of its own, and a pod behind a NodePort. */
export const served = { hostPort: 8443, hostUdpPort: 9000, nodePort: 30080, podPort: 8080 } as const;

export interface WorkerNode extends Node {
  readonly pod: Host;
  /** Where this node's agent keeps its state, and its sysctl.d. */
  readonly stateDirectory: string;
  readonly sysctlDirectory: string;
  /** Its /proc and /sys are real, and /etc is its own. */
  readonly hostRoot: string;
  readonly guard: LabGuard;
  /**
   * With its guard, where that does not run yet. `flags` are added, and win over the defaults. `as`: another version of the
   * operator. But for the first time it needs no API server.
   */
  startAgent(flags?: readonly string[], as?: OperatorProgram): Promise<LabProcess>;
  /** A sub-command that works on the node itself, to its end. */
  porthardening(command: "cleanup" | "disengage" | "engage", flags?: readonly string[]): Promise<ExecResult>;
}

/** The operator at work on nodes that are network namespaces, with a real control plane. */
export interface OperatorCluster {
  readonly controlPlane: ControlPlane;
  readonly workers: readonly WorkerNode[];
  /** Outside the cluster, with many source addresses. */
  readonly outside: Host;
  /** `as`: another version of the operator. */
  startController(flags?: readonly string[], as?: OperatorProgram): Promise<LabProcess>;
  /** `porthardening uninstall`, to its end. */
  uninstall(flags: readonly string[]): Promise<ExecResult>;
  /** Applies YAML with the real kubectl; returns what it printed. */
  apply(yaml: string): Promise<string>;
}

export interface OperatorClusterOptions {
  readonly workers: number;
  readonly sources: readonly string[];
  /** The operator's program: what comes before the sub-command. Default: see `operatorProgram`. */
  readonly program?: OperatorProgram;
  /** More flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
  readonly onProgress?: (what: string) => void;
}

/** Control plane, CRDs, rights, nodes that serve, an outside client. Controller and agents are started by the caller. */
export async function startOperatorCluster(lab: Lab, options: OperatorClusterOptions): Promise<OperatorCluster> {
  const { onProgress = () => undefined } = options;
  const { program = operatorProgram } = options;
  const [file, ...first] = program;
  onProgress("starting etcd and kube-apiserver");
  const controlPlane = await startControlPlane(lab, { apiServerFlags: options.apiServerFlags ?? [] });
  onProgress(`making ${options.workers} nodes and an outside client as network namespaces`);
  const outside = await lab.client("outside", { sources: options.sources });
  const workers: WorkerNode[] = [];
  for (let index = 1; index <= options.workers; index++) {
    workers.push(await createWorker(lab, `node${index}`, { controlPlane, program }));
  }
  onProgress("installing CRDs, rights and Node objects with kubectl");
  await controlPlane.kubectl(["apply", "--server-side", "-f", join(project, "crds")]);
  await controlPlane.kubectl(["apply", "-k", join(project, "deploy")]);
  await controlPlane.kubectl(["create", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: workers.map(nodeObject) }),
  });
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  // The API server makes its own Service, its endpoints and the ServiceCIDR some time after it says that it is ready.
  await waitFor("the API server's own addresses", () => controlPlane.kubectl(["get", ...ownObjects, "-o", "name"]), {
    timeoutMilliseconds: 20_000,
  });

  let controllers = 0;
  return {
    controlPlane,
    workers,
    outside,
    apply: async (yaml) => (await controlPlane.kubectl(["apply", "-f", "-"], { input: yaml })).stdout.trim(),
    async uninstall(flags) {
      const env = { KUBECONFIG: await controlPlane.kubeconfigFor(controllerAccount), POD_NAMESPACE: operatorNamespace };
      return lab.root.tryExec(file, [...first, "uninstall", ...flags], { env, timeoutMilliseconds: 60_000 });
    },
    async startController(flags = [], [file, ...first] = program) {
      const kubeconfig = await controlPlane.kubeconfigFor(controllerAccount);
      controllers += 1;
      return lab.root.spawn(
        `controller-${controllers}`,
        file,
        [...first, "controller", "--health-port", "0", ...flags],
        {
          env: { KUBECONFIG: kubeconfig, POD_NAMESPACE: operatorNamespace },
        },
      );
    },
  };
}

async function createWorker(
  lab: Lab,
  name: string,
  { controlPlane, program }: { controlPlane: ControlPlane; program: OperatorProgram },
): Promise<WorkerNode> {
  const [file, ...first] = program;
  const node = await lab.node(name);
  const pod = await lab.pod(node, `${name}-pod`);
  const stateDirectory = join(node.folder, "state");
  const sysctlDirectory = join(node.folder, "sysctl.d");
  await mkdir(sysctlDirectory);
  const hostRoot = await createHostRoot(join(node.folder, "host"));
  let kubeconfig: string | undefined;
  const [host, behind] = await Promise.all([node.traffic(), pod.traffic()]);
  await host.listen("tcp", [served.hostPort]);
  await host.listen("udp", [served.hostUdpPort]);
  await behind.listen("tcp", [served.podPort]);
  await publishNodePort(node, { port: served.nodePort, to: { address: pod.ipv4, port: served.podPort } });
  await publishNodePort(node, { port: served.nodePort, to: { address: pod.ipv6, port: served.podPort } });
  const guard = labGuard(node, stateDirectory);
  return {
    ...node,
    pod,
    guard,
    stateDirectory,
    sysctlDirectory,
    hostRoot,
    porthardening(command, flags = []) {
      const own = ["--state-dir", stateDirectory, "--sysctl-dir", sysctlDirectory, "--host-root", hostRoot];
      return node.tryExec(file, [...first, command, ...own, ...flags], { timeoutMilliseconds: 60_000 });
    },
    async startAgent(flags = [], [file, ...first] = program) {
      await guard.ensure();
      const account = { namespace: operatorNamespace, name: "port-hardening-agent", node: name };
      kubeconfig ??= await controlPlane.kubeconfigFor(account);
      const own = ["--node-name", name, "--state-dir", stateDirectory, "--sysctl-dir", sysctlDirectory];
      const args = [...own, "--host-root", hostRoot, "--health-port", "0", ...flags];
      return node.spawn("agent", file, [...first, "agent", ...args], {
        env: { KUBECONFIG: kubeconfig, POD_NAMESPACE: operatorNamespace },
      });
    },
  };
}

/** The Node object that a kubelet would have made. */
function nodeObject(worker: WorkerNode): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: worker.name,
      labels: { "kubernetes.io/os": "linux", "kubernetes.io/hostname": worker.name, role: "worker" },
    },
    spec: { podCIDR: worker.podCidrs.ipv4, podCIDRs: [worker.podCidrs.ipv4, worker.podCidrs.ipv6] },
    status: {
      addresses: [worker.ipv4, worker.ipv6].map((address) => ({ type: "InternalIP", address })),
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "",
          lastHeartbeatTime: new Date().toISOString(),
          lastTransitionTime: new Date().toISOString(),
        },
      ],
    },
  };
}

/** One of the workers, in the order of their names, from 0. Throws where not so many were asked for. */
export function workerOf({ workers }: Pick<OperatorCluster, "workers">, index: number): WorkerNode {
  const worker = workers[index];
  if (worker === undefined) throw new Error(`the cluster has ${workers.length} workers, so none at ${index}`);
  return worker;
}

/** Waits until every worker's agent has answered its NodeState, and the cluster's own addresses are published. */
export async function agentsReady(
  { controlPlane, workers }: OperatorCluster,
  timeoutMilliseconds = 20_000,
): Promise<void> {
  const names = workers.map(({ name }) => name);
  let seen = "";
  await waitFor(
    "the cluster's own addresses to be published",
    async () => {
      seen = (await controlPlane.kubectl(["get", "phag", "-o", "name"])).stdout;
      return CLUSTER_ADDRESS_ROLES.every((role) => seen.includes(`/cluster-${role}-`)) ? true : undefined;
    },
    { timeoutMilliseconds, intervalMilliseconds: 100, lastSeen: () => seen },
  );
  await waitFor(
    "every agent to have written its NodeState's status",
    async () => {
      const path = "jsonpath={range .items[*]}{.metadata.name}={.status.backend} {end}";
      seen = (await controlPlane.kubectl(["get", "phnode", "-o", path])).stdout;
      return names.every((name) => seen.includes(`${name}=iptables`)) ? true : undefined;
    },
    { timeoutMilliseconds, intervalMilliseconds: 100, lastSeen: () => seen },
  );
}
