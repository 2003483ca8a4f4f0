/** At most so many addresses in one published group: an edit of it stays cheap for every agent (DESIGN 2). */
export const SHARD_SIZE = 1_000;

/**
 * Spreads `wanted` over numbered shards. An address stays in the shard that already holds it; a new one fills the first
 * gap. So a node that comes or goes rewrites one shard, whatever its address sorts to and however many others there are
 * (sorted chunks would shift all that follow, hash buckets all of them whenever their number changes), and what is
 * published is the only memory. Shards that end up empty are left out of the result.
 */
export function assignShards(
  wanted: Iterable<string>,
  published: ReadonlyMap<number, readonly string[]>,
  size: number = SHARD_SIZE,
): Map<number, readonly string[]> {
  const homeless = new Set(wanted);
  const shards = new Map<number, string[]>();
  for (const index of [...published.keys()].toSorted((a, b) => a - b)) {
    const kept: string[] = [];
    for (const address of published.get(index) ?? []) {
      if (kept.length < size && homeless.delete(address)) kept.push(address);
    }
    shards.set(index, kept);
  }
  let index = 0;
  for (const address of [...homeless].toSorted()) {
    while ((shards.get(index)?.length ?? 0) >= size) index += 1;
    const shard = shards.get(index) ?? [];
    shard.push(address);
    shards.set(index, shard);
  }
  const filled = [...shards].filter(([, addresses]) => addresses.length > 0);
  return new Map(filled.map(([number, addresses]) => [number, addresses.toSorted()]));
}
