import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, signCertificate } from "./certificates.ts";
import type { ControlPlanePrograms } from "./control-plane-programs.ts";
import { type Lab, labAddress } from "./lab.ts";
import type { LabProcess } from "./lab-process.ts";

export const apiServerPort = 6443;
const serviceCidr = "198.19.240.0/20";

/** They live for seconds: with five times the memory, collecting garbage costs a quarter (a whole test file half of its CPU). */
export const goSettings = { GOGC: "400" } as const;

/** Signs the API server and an administrator, and makes the key pair of service account tokens; all in `folder`. */
export async function createIdentities(folder: string) {
  const authority = await createAuthority(folder);
  const names = [labAddress.ipv4, "127.0.0.1", "198.19.240.1"].map((address) => `IP:${address}`);
  const dns = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"].map((name) => `DNS:${name}`);
  const apiServer = await signCertificate(folder, authority, {
    file: "apiserver",
    subject: "/CN=kube-apiserver",
    names: [...names, ...dns],
  });
  const admin = await signCertificate(folder, authority, { file: "admin", subject: "/O=system:masters/CN=admin" });
  const tokens = { key: join(folder, "tokens.key"), certificate: join(folder, "tokens.pub") };
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(tokens.key, pair.privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  await writeFile(tokens.certificate, pair.publicKey.export({ type: "spki", format: "pem" }));
  return { authority, apiServer, admin, tokens };
}

/** How kube-apiserver reaches kubelets (logs, exec), as an administrator. */
export function kubeletFlags({ authority, admin }: Awaited<ReturnType<typeof createIdentities>>): readonly string[] {
  return [
    `--kubelet-certificate-authority=${authority.certificate}`,
    `--kubelet-client-certificate=${admin.certificate}`,
    `--kubelet-client-key=${admin.key}`,
    "--kubelet-preferred-address-types=InternalIP",
  ];
}

/** Starts etcd on the lab's loopback. */
export function startEtcd(lab: Lab, { etcd }: ControlPlanePrograms, folder: string): Promise<LabProcess> {
  const [client, peer] = ["http://127.0.0.1:2379", "http://127.0.0.1:2380"];
  const [file, ...first] = etcd;
  const args = [
    ...first,
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync", // The data live as long as the lab.
  ];
  return lab.root.spawn("etcd", file, args, { env: goSettings });
}

/** Starts kube-apiserver on the lab's address; ready is another matter. */
export function startApiServer(
  lab: Lab,
  { apiServer }: ControlPlanePrograms,
  options: {
    readonly folder: string;
    readonly files: Awaited<ReturnType<typeof createIdentities>>;
    readonly flags: readonly string[];
  },
): Promise<LabProcess> {
  const { folder, files, flags } = options;
  const [file, ...first] = apiServer;
  const args = [
    ...first,
    "--etcd-servers=http://127.0.0.1:2379",
    `--bind-address=${labAddress.ipv4}`,
    `--advertise-address=${labAddress.ipv4}`,
    `--secure-port=${apiServerPort}`,
    `--tls-cert-file=${files.apiServer.certificate}`,
    `--tls-private-key-file=${files.apiServer.key}`,
    `--client-ca-file=${files.authority.certificate}`,
    `--service-account-key-file=${files.tokens.certificate}`,
    `--service-account-signing-key-file=${files.tokens.key}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--service-cluster-ip-range=${serviceCidr}`,
    "--allow-privileged=true",
    `--cert-dir=${folder}`,
    ...flags,
  ];
  return lab.root.spawn("kube-apiserver", file, args, { env: goSettings });
}
