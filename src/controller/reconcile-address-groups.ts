import type { ClusterAddressRole } from "../api/group.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { clusterAddresses } from "./cluster-addresses.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { type PublishedShard, shardObject } from "./published-shard.ts";
import { assignShards } from "./shards.ts";
import type { ControllerStores } from "./stores.ts";

export interface AddressGroupContext {
  readonly client: KubeClient;
  readonly stores: ControllerStores;
  readonly signal: AbortSignal;
}

/** Publishes the cluster's own addresses of one role. Expects the stores that it reads from to be synced. */
export async function reconcileAddressGroups(role: ClusterAddressRole, context: AddressGroupContext): Promise<void> {
  const { client, stores, signal } = context;
  const wanted = clusterAddresses(role, {
    nodes: stores.nodes.list(),
    services: stores.services.list(),
    apiEndpoints: stores.apiEndpoints.list(),
    serviceCidrs: stores.serviceCidrs.list(),
  });
  const published = new Map(
    stores.shards.list().flatMap((shard) => (shard.role === role ? [[shard.index, shard] as const] : [])),
  );
  const shards = assignShards(wanted, new Map([...published].map(([index, { addresses }]) => [index, addresses])));
  // New addresses first: no moment in which an address that moves is in no group.
  for (const [index, addresses] of shards) {
    if (isPublished(published.get(index), addresses)) continue;
    const object = shardObject(role, index, addresses);
    await client.apply(resources.addressGroups, object, { fieldManager: FIELD_MANAGER }, signal);
  }
  for (const { index, name, uid } of published.values()) {
    if (!shards.has(index)) await client.delete(resources.addressGroups, { name, uid }, signal);
  }
}

function isPublished(shard: PublishedShard | undefined, addresses: readonly string[]): boolean {
  return (
    shard?.labelled === true &&
    shard.addresses.length === addresses.length &&
    shard.addresses.every((address, index) => address === addresses[index])
  );
}
