import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";

export type KubeconfigUser =
  | { readonly token: string }
  | { readonly "client-certificate": string; readonly "client-key": string };

/** Writes a kubeconfig with one cluster and one user; all it refers to are absolute paths. */
export async function writeKubeconfig(
  file: string,
  options: { readonly server: string; readonly authority: string; readonly user: KubeconfigUser },
): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server: options.server, "certificate-authority": options.authority } }],
    users: [{ name: "lab", user: options.user }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
    "current-context": "lab",
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
