import {
  ADDRESS_GROUP_KIND,
  API_VERSION,
  CLUSTER_ADDRESS_ROLES,
  CLUSTER_ADDRESSES_LABEL,
  type ClusterAddressRole,
} from "../api/group.ts";
import type { KubeObject } from "../kube/types.ts";
import type { Shard } from "./publish-shards.ts";
import { fieldAt, stringsAt } from "./wire-fields.ts";

/** One of the groups `cluster-<role>-<index>`, as it stands in the cluster. */
export interface PublishedShard extends Shard {
  readonly role: ClusterAddressRole;
}

const NAME = new RegExp(`^cluster-(${CLUSTER_ADDRESS_ROLES.join("|")})-(0|[1-9][0-9]{0,8})$`);

/** undefined where the name is not one of ours: users' own groups are not kept. */
export function parsePublishedShard(object: KubeObject): PublishedShard | undefined {
  const { name, uid = "", labels = {} } = object.metadata;
  const [, role, index] = NAME.exec(name) ?? [];
  const known = CLUSTER_ADDRESS_ROLES.find((candidate) => candidate === role);
  if (known === undefined) return undefined;
  const addresses = stringsAt(fieldAt(object, "spec"), "addresses");
  return {
    name,
    uid,
    role: known,
    index: Number(index),
    addresses,
    labelled: labels[CLUSTER_ADDRESSES_LABEL] === role,
  };
}

/** The group as it shall be published. */
export function shardObject(role: ClusterAddressRole, index: number, addresses: readonly string[]) {
  return {
    apiVersion: API_VERSION,
    kind: ADDRESS_GROUP_KIND,
    metadata: { name: `cluster-${role}-${index}`, labels: { [CLUSTER_ADDRESSES_LABEL]: role } },
    spec: { addresses },
  } satisfies KubeObject & { readonly spec: unknown };
}
