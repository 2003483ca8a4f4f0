import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import { parseAddressGroup, parsePolicy } from "../api/parse.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import type { NodeIdentity } from "../plan/compile.ts";
import { allObjects } from "./each-object.ts";

export interface ClusterObjects {
  readonly policies: readonly PortHardeningPolicy[];
  readonly groups: readonly PortHardeningAddressGroup[];
  readonly node: NodeIdentity;
}

/**
 * What of a live cluster decides about a node's rules. Reads only. Throws KubeError, SchemaError where this version does
 * not know an object, and Error where there is no such node.
 */
export async function clusterObjects(client: KubeClient, name: string): Promise<ClusterObjects> {
  const [node, policies, groups] = await Promise.all([
    client.get(resources.nodes, { name }),
    allObjects(client, resources.policies),
    allObjects(client, resources.addressGroups),
  ]);
  if (node === undefined) throw new Error(`there is no node ${name}: kubectl get nodes lists them`);
  return {
    policies: policies.map(parsePolicy),
    groups: groups.map(parseAddressGroup),
    node: { name, labels: node.metadata.labels ?? {} },
  };
}
