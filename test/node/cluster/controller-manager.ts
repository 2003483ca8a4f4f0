import { join, resolve } from "node:path";
import { signCertificate } from "../../lab/certificates.ts";
import type { ControlPlane } from "../../lab/control-plane.ts";
import { writeKubeconfig } from "../../lab/kubeconfig.ts";
import type { Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";

/** What scripts/setup.sh builds from test/nodeprograms. */
export const nodePrograms = resolve(import.meta.dirname, "../../../.cache/bin/nodeprograms");

/** A kubeconfig of a program of Kubernetes', such as `/CN=system:kube-scheduler`. */
export async function kubeconfigOf(controlPlane: ControlPlane, file: string, subject: string): Promise<string> {
  const { server, authority, identities } = controlPlane;
  const { certificate, key } = await signCertificate(identities.folder, identities.authority, { file, subject });
  const user = { "client-certificate": certificate, "client-key": key };
  return writeKubeconfig(join(identities.folder, `${file}.kubeconfig`), { server, authority, user });
}

/** `controllers`: the only ones that run; absent: all that run by default. */
export async function startControllerManager(
  lab: Lab,
  controlPlane: ControlPlane,
  controllers?: readonly string[],
): Promise<LabProcess> {
  const { identities, authority } = controlPlane;
  const kubeconfig = await kubeconfigOf(controlPlane, "controller-manager", "/CN=system:kube-controller-manager");
  return lab.root.spawn("kube-controller-manager", nodePrograms, [
    "kube-controller-manager",
    `--kubeconfig=${kubeconfig}`,
    `--root-ca-file=${authority}`,
    `--service-account-private-key-file=${identities.tokens.key}`,
    "--use-service-account-credentials=true",
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${identities.folder}`,
    ...(controllers === undefined ? [] : [`--controllers=${controllers.join(",")}`]),
  ]);
}
