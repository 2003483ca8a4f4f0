import { join } from "node:path";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { writeKubeconfig } from "../../lab/kubeconfig.ts";
import { type ClusterToInstallInto, NAMESPACE } from "./cluster-to-install-into.ts";

/** Whoever has read an agent's token: what they try to write, by the node whose object it is. */
export interface AgentsToken {
  readonly write: Readonly<Record<"status" | "spec" | "lease", (node: string) => Promise<unknown>>>;
  close(): Promise<void>;
}

/** Takes the token from the pod, as a process that breaks into it could. */
export async function agentsToken({ controlPlane }: ClusterToInstallInto, pod: string): Promise<AgentsToken> {
  const { kubectl, identities, authority, forward } = controlPlane;
  const path = "/var/run/secrets/kubernetes.io/serviceaccount/token";
  const token = (await kubectl(["exec", "-n", NAMESPACE, pod, "--", "cat", path])).stdout.trim();
  const api = await forward();
  const file = join(identities.folder, "stolen.kubeconfig");
  const client = kubeClient(
    loadKubeConfig(await writeKubeconfig(file, { server: api.server, authority, user: { token } })),
  );
  const { nodeStates, leases } = resources;
  const apply = (name: string, content: object, subresource?: "status") =>
    client.apply(
      nodeStates,
      {
        apiVersion: `${nodeStates.group}/${nodeStates.version}`,
        kind: nodeStates.kind,
        metadata: { name },
        ...content,
      } as KubeObject,
      { fieldManager: "thief", ...(subresource === undefined ? {} : { subresource }) },
    );
  return {
    write: {
      status: (node) => apply(node, { status: {} }, "status"),
      spec: (node) => apply(node, { spec: { policies: [] } }),
      async lease(name) {
        const found = await client.get(leases, { name, namespace: NAMESPACE });
        if (found === undefined) throw new Error(`${name} has no Lease`);
        return client.replace(leases, { ...found, metadata: { ...found.metadata, labels: { touched: "yes" } } });
      },
    },
    async close() {
      await client.close();
      await api.close();
    },
  };
}
