import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { assignShards } from "./shards.ts";

/** One of several groups that act as one list, as it stands in the cluster. */
export interface Shard {
  readonly name: string;
  readonly uid: string;
  readonly index: number;
  readonly addresses: readonly string[];
  /** It carries the labels by which agents find it. */
  readonly labelled: boolean;
}

export interface ShardedList {
  /** Canonical CIDRs, each once. */
  readonly wanted: Iterable<string>;
  readonly published: readonly Shard[];
  /** Whether the first group is there also where it is empty, so that agents can tell an empty list from none. */
  readonly alsoEmpty: boolean;
  readonly object: (index: number, addresses: readonly string[]) => KubeObject;
}

export interface PublishContext {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/** Makes the groups hold the list, and writes only those that differ. */
export async function publishShards(list: ShardedList, { client, signal }: PublishContext): Promise<void> {
  const published = new Map(list.published.map((shard) => [shard.index, shard]));
  const shards = assignShards(list.wanted, new Map([...published].map(([index, { addresses }]) => [index, addresses])));
  if (list.alsoEmpty && !shards.has(0)) shards.set(0, []);
  // The first group last: once it is there, so are all others. New addresses before deletions: no moment in which an
  // address that moves is in no group.
  for (const [index, addresses] of [...shards].toSorted(([a], [b]) => b - a)) {
    if (isPublished(published.get(index), addresses)) continue;
    await client.apply(resources.addressGroups, list.object(index, addresses), { fieldManager: FIELD_MANAGER }, signal);
  }
  const obsolete = list.published.filter(({ index }) => !shards.has(index));
  await removeShards(obsolete, { client, signal });
}

export async function removeShards(shards: readonly Shard[], { client, signal }: PublishContext): Promise<void> {
  for (const { name, uid } of shards) await client.delete(resources.addressGroups, { name, uid }, signal);
}

function isPublished(shard: Shard | undefined, addresses: readonly string[]): boolean {
  return (
    shard?.labelled === true &&
    shard.addresses.length === addresses.length &&
    shard.addresses.every((address, index) => address === addresses[index])
  );
}
