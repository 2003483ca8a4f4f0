import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { signCertificate } from "../../lab/certificates.ts";
import { createCgroup } from "../../lab/cgroups.ts";
import { type ControlPlane, startControlPlane } from "../../lab/control-plane.ts";
import type { Node } from "../../lab/hosts.ts";
import type { Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { startTraffic, type Traffic } from "../../lab/traffic/traffic.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { allNamespacesOf } from "./all-namespaces.ts";
import { kubeconfigOf, nodePrograms, startControllerManager } from "./controller-manager.ts";
import { cniConflist, containerdToml, kubeletYaml, kubeProxyYaml, type NodePlace, PAUSE_IMAGE } from "./node-files.ts";
import { writeProgramImage } from "./oci-image.ts";

const cache = resolve(import.meta.dirname, "../../../.cache");
const tools = join(cache, "node-tools");

export type ProxyMode = "iptables" | "nftables";

/** A node with a real kubelet, containerd and kube-proxy. Programs run in all of its namespaces, as on a machine. */
export interface RealNode extends Node {
  setProxyMode(mode: ProxyMode): Promise<void>;
  /** The end of its programs' logs, for error messages. */
  logs(): Promise<string>;
}

export interface RealCluster {
  readonly controlPlane: ControlPlane;
  readonly nodes: readonly RealNode[];
}

export interface RealClusterOptions {
  readonly nodes: number;
  readonly proxyMode?: ProxyMode;
  /** OCI archives that each node imports. */
  readonly images: readonly string[];
  readonly onProgress?: (what: string) => void;
}

/** A control plane with controller manager and scheduler, and nodes on which pods run. Resolves when all nodes are Ready. */
export async function startRealCluster(lab: Lab, options: RealClusterOptions): Promise<RealCluster> {
  const { onProgress = () => undefined, proxyMode = "iptables" } = options;
  onProgress("starting etcd, kube-apiserver, kube-controller-manager and kube-scheduler");
  const controlPlane = await startControlPlane(lab, { kubelets: true });
  const { identities } = controlPlane;
  await startControllerManager(lab, controlPlane);
  const scheduler = await kubeconfigOf(controlPlane, "scheduler", "/CN=system:kube-scheduler");
  await lab.root.spawn("kube-scheduler", nodePrograms, [
    "kube-scheduler",
    `--kubeconfig=${scheduler}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${identities.folder}`,
  ]);
  const proxyKubeconfig = await kubeconfigOf(controlPlane, "kube-proxy", "/CN=system:kube-proxy");
  const pause = join(lab.folder, "pause.tar");
  await writeProgramImage(pause, { reference: PAUSE_IMAGE, program: await readFile(join(cache, "bin/pause")) });
  const images = [pause, ...options.images];

  onProgress(`starting ${options.nodes} nodes: containerd, kubelet, kube-proxy (${proxyMode})`);
  const hosts: Node[] = [];
  for (let index = 1; index <= options.nodes; index++) hosts.push(await lab.node(`node${index}`));
  const nodes = await Promise.all(
    hosts.map(async (host) => {
      const { certificate, key } = await signCertificate(identities.folder, identities.authority, {
        file: `kubelet-${host.name}`,
        subject: `/CN=${host.name}`,
        names: [`IP:${host.ipv4}`, `DNS:${host.name}`],
        // As on a real node, where audits would find one that is about to expire.
        days: 365,
      });
      const place: NodePlace = {
        name: host.name,
        ipv4: host.ipv4,
        podCidr: host.podCidrs.ipv4,
        cgroup: `${lab.run}-${host.name}`,
        authority: controlPlane.authority,
        kubelet: { certificate, key },
        resolvConf: "/etc/resolv.conf",
        proxyKubeconfig,
      };
      const own = await kubeconfigOf(controlPlane, `node-${host.name}`, `/O=system:nodes/CN=system:node:${host.name}`);
      return startNode(host, place, { kubeconfig: own, images, proxyMode });
    }),
  );
  await waitForNodes(controlPlane, nodes);
  return { controlPlane, nodes };
}

interface NodeStart {
  readonly kubeconfig: string;
  readonly images: readonly string[];
  readonly proxyMode: ProxyMode;
}

async function startNode(
  host: Node,
  place: NodePlace,
  { kubeconfig, images, proxyMode }: NodeStart,
): Promise<RealNode> {
  const { folder } = host;
  await mkdir(join(folder, "images"), { recursive: true });
  const files: Record<string, string> = {
    "containerd.toml": containerdToml,
    "kubelet.yaml": kubeletYaml(place),
    "kube-proxy.yaml": kubeProxyYaml(place),
    "cni.conflist": cniConflist(place),
    // Nobody resolves names here.
    "resolv.conf": "nameserver 198.19.240.10\n",
    address: place.ipv4,
    "proxy-mode": `${proxyMode}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await copyFile(kubeconfig, join(folder, "kubelet.kubeconfig"));
  for (const image of images) await copyFile(image, join(folder, "images", basename(image)));
  createCgroup(place.cgroup);
  const script = join(import.meta.dirname, "node.sh");
  const own = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const process = await host.spawn("node", "unshare", [...own, "sh", script, place.name, folder, tools, nodePrograms]);
  const pid = await firstChild(process);
  const inside = allNamespacesOf(pid, host);
  let traffic: Promise<Traffic> | undefined;
  return {
    ...host,
    ...inside,
    traffic: () => (traffic ??= startTraffic(inside)),
    setProxyMode: (mode) => writeFile(join(folder, "proxy-mode"), `${mode}\n`),
    async logs() {
      const tails = await Promise.all(
        ["containerd", "images", "kubelet", "kube-proxy"].map(async (name) => {
          const text = await readFile(join(folder, "log", `${name}.log`), "utf8").catch(() => "");
          return `${host.name} ${name}:\n${text.split("\n").slice(-15).join("\n")}`;
        }),
      );
      return [`${host.name}:\n${process.log()}`, ...tails].join("\n");
    },
  };
}

/** Process 1 of the node, as the machine counts. */
async function firstChild(parent: LabProcess): Promise<number> {
  return waitFor(
    "the node's first process",
    async () => {
      const children = await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8");
      const [first] = children.trim().split(" ").filter(Boolean);
      return first === undefined ? undefined : Number(first);
    },
    { timeoutMilliseconds: 60_000, giveUp: () => (parent.running ? undefined : new Error(parent.log())) },
  );
}

async function waitForNodes({ kubectl }: ControlPlane, nodes: readonly RealNode[]): Promise<void> {
  try {
    await waitFor(
      "all nodes to be Ready",
      async () => {
        const path = 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}';
        const states = (await kubectl(["get", "nodes", "-o", path])).stdout.trim().split(" ");
        return states.filter((state) => state === "True").length === nodes.length ? true : undefined;
      },
      { timeoutMilliseconds: 180_000, intervalMilliseconds: 200 },
    );
  } catch (error) {
    const logs = (await Promise.all(nodes.map((node) => node.logs()))).join("\n");
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs}`, { cause: error });
  }
}
