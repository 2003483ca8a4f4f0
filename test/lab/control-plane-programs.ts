import { accessSync, constants } from "node:fs";
import { join } from "node:path";

type Command = readonly [string, ...string[]];

/** How to call each program of the control plane. */
export interface ControlPlanePrograms {
  readonly etcd: Command;
  readonly apiServer: Command;
  readonly kubectl: Command;
}

/** The binary that scripts/setup.sh builds from test/controlplane, as it is linked into the tree. */
const built = join(import.meta.dirname, "../../.cache/bin/controlplane");

/** KUBEBUILDER_ASSETS (a folder with etcd, kube-apiserver and kubectl), else our own build. Throws where neither is there. */
export function controlPlanePrograms(assets = process.env["KUBEBUILDER_ASSETS"]): ControlPlanePrograms {
  if (assets !== undefined && assets !== "") {
    const [etcd, apiServer, kubectl] = ["etcd", "kube-apiserver", "kubectl"].map((name) => join(assets, name));
    if (etcd !== undefined && apiServer !== undefined && kubectl !== undefined) {
      for (const file of [etcd, apiServer, kubectl]) requireExecutable(file, `KUBEBUILDER_ASSETS=${assets} lacks it`);
      return { etcd: [etcd], apiServer: [apiServer], kubectl: [kubectl] };
    }
  }
  requireExecutable(built, "build it with: npm run setup");
  return { etcd: [built, "etcd"], apiServer: [built, "kube-apiserver"], kubectl: [built, "kubectl"] };
}

function requireExecutable(file: string, advice: string): void {
  try {
    accessSync(file, constants.X_OK);
  } catch (cause) {
    throw new Error(`${file} is not there; ${advice}`, { cause });
  }
}
