import type { ClusterAddressRole } from "../api/group.ts";
import { clusterAddresses } from "./cluster-addresses.ts";
import { type PublishContext, publishShards } from "./publish-shards.ts";
import { shardObject } from "./published-shard.ts";
import type { ControllerStores } from "./stores.ts";

export interface AddressGroupContext extends PublishContext {
  readonly stores: ControllerStores;
}

/** Publishes the cluster's own addresses of one role. Expects the stores that it reads from to be synced. */
export async function reconcileAddressGroups(role: ClusterAddressRole, context: AddressGroupContext): Promise<void> {
  const { stores } = context;
  const wanted = clusterAddresses(role, {
    nodes: stores.nodes.list(),
    services: stores.services.list().map(({ addresses }) => addresses),
    apiEndpoints: stores.apiEndpoints.list(),
    serviceCidrs: stores.serviceCidrs.list(),
  });
  const published = stores.shards.list().filter((shard) => shard.role === role);
  const object = (index: number, addresses: readonly string[]) => shardObject(role, index, addresses);
  await publishShards({ wanted, published, alsoEmpty: false, object }, context);
}
