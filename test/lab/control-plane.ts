import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Certificate } from "./certificates.ts";
import { controlPlanePrograms } from "./control-plane-programs.ts";
import {
  apiServerPort,
  createIdentities,
  goSettings,
  kubeletFlags,
  startApiServer,
  startEtcd,
} from "./control-plane-servers.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import { forwardInto } from "./forwarder.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type Lab, labAddress } from "./lab.ts";
import { type LabProcess, tail } from "./lab-process.ts";
import type { ExecOptions, ExecResult } from "./network-namespace.ts";
import { waitFor } from "./wait-for.ts";

/** A token's bearer. Objects are made with kubectl as usual; nothing creates service accounts by itself here. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /** The Node that the token is bound to, as kubelet binds the tokens of its pods (KEP-4193). */
  readonly node?: string;
}

/**
 * A real etcd and kube-apiserver (RBAC on) inside a lab. No controller manager runs: no default service accounts, no
 * garbage collection, no aggregated ClusterRoles, and a deleted namespace stays in Terminating.
 */
export interface ControlPlane {
  /** Its address inside the lab: https://198.18.0.1:6443. */
  readonly server: string;
  /** PEM file of the authority that signed it. */
  readonly authority: string;
  /** An administrator's kubeconfig for programs inside the lab's namespaces. */
  readonly kubeconfig: string;
  /** The real kubectl as administrator, in the lab; throws with its stderr. */
  kubectl(args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** The same, but a non-zero exit code is a result. */
  tryKubectl(args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A kubeconfig with a fresh token of this service account (which must exist); `server` defaults to the lab's address. */
  kubeconfigFor(account: ServiceAccount, server?: string): Promise<string>;
  /** A way in for processes outside the lab, such as the test itself; it can be broken on purpose. */
  forward(): Promise<ForwardedApi>;
  /** Kills the API server (SIGKILL); etcd and its data stay. */
  stop(): Promise<void>;
  /** Starts it again on the same address, until ready. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** For whoever joins the cluster: the folder takes new certificates. */
  readonly identities: { readonly folder: string; readonly authority: Certificate; readonly tokens: Certificate };
  /** The API server's and etcd's logs, for error messages. */
  log(): string;
}

export interface ForwardedApi {
  /** https://127.0.0.1:<port> */
  readonly server: string;
  /** An administrator's kubeconfig that goes through `proxy`. */
  readonly kubeconfig: string;
  readonly proxy: FaultProxy;
  close(): Promise<void>;
}

/** Starts a control plane in the lab (about 3 s); throws with the tail of its logs where it does not become ready. */
export async function startControlPlane(
  lab: Lab,
  options: { readonly apiServerFlags?: readonly string[]; readonly kubelets?: boolean } = {},
): Promise<ControlPlane> {
  const programs = controlPlanePrograms();
  const folder = join(lab.root.folder, "control-plane");
  mkdirSync(folder);
  const files = await createIdentities(folder);
  const server = `https://${labAddress.ipv4}:${apiServerPort}`;
  const admin = { "client-certificate": files.admin.certificate, "client-key": files.admin.key };
  const authority = files.authority.certificate;
  const kubeconfig = await writeKubeconfig(join(folder, "admin.kubeconfig"), { server, authority, user: admin });

  const etcd = await startEtcd(lab, programs, folder);
  let api: LabProcess | undefined;
  let kubeconfigs = 0;
  const log = () => [etcd, api].map((it) => (it === undefined ? "" : `${it.name}:\n${tail(it.log())}`)).join("\n");

  const run = (args: readonly string[], execOptions: ExecOptions = {}) => {
    const [file, ...first] = programs.kubectl;
    const env = { ...goSettings, KUBECONFIG: kubeconfig, HOME: folder, ...execOptions.env };
    return [file, [...first, ...args], { ...execOptions, env }] as const;
  };

  const start = async () => {
    const flags = [...(options.kubelets ? kubeletFlags(files) : []), ...(options.apiServerFlags ?? [])];
    api = await startApiServer(lab, programs, { folder, files, flags });
    await waitUntilReady(api, () => lab.root.exec(...run(["get", "--raw", "/readyz", "--request-timeout=2s"])), log);
  };
  const stop = async () => {
    await api?.kill();
  };
  await start();

  return {
    server,
    authority,
    kubeconfig,
    log,
    identities: { folder, authority: files.authority, tokens: files.tokens },
    start,
    stop,
    async restart() {
      await stop();
      await start();
    },
    kubectl: (args, execOptions) => lab.root.exec(...run(args, execOptions)),
    tryKubectl: (args, execOptions) => lab.root.tryExec(...run(args, execOptions)),
    async kubeconfigFor({ namespace, name, node }, at = server) {
      const args = ["create", "token", name, "--namespace", namespace, "--duration", "1h"];
      if (node !== undefined) args.push("--bound-object-kind", "Node", "--bound-object-name", node);
      const token = (await lab.root.exec(...run(args))).stdout.trim();
      kubeconfigs += 1;
      const file = join(folder, `${name}-${kubeconfigs}.kubeconfig`);
      return writeKubeconfig(file, { server: at, authority, user: { token } });
    },
    async forward() {
      const proxy = await forwardInto(lab.root, { host: labAddress.ipv4, port: apiServerPort });
      const local = `https://127.0.0.1:${proxy.port}`;
      const file = join(folder, `admin-${proxy.port}.kubeconfig`);
      await writeKubeconfig(file, { server: local, authority, user: admin });
      return { server: local, kubeconfig: file, proxy, close: () => proxy.close() };
    },
  };
}

async function waitUntilReady(api: LabProcess, readyz: () => Promise<ExecResult>, log: () => string): Promise<void> {
  await waitFor("kube-apiserver to be ready", async () => ((await readyz()).stdout === "ok" ? true : undefined), {
    timeoutMilliseconds: 60_000,
    intervalMilliseconds: 100,
    lastSeen: log,
    giveUp: () => (api.running ? undefined : new Error(`kube-apiserver ended before it was ready\n${log()}`)),
  });
}
