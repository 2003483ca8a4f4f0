import type { Family, NodeRateLimit } from "../plan/node-plan.ts";
import type { LimitUnit } from "../plan/types.ts";

export const UNIT_SECONDS: Readonly<Record<LimitUnit, number>> = { Day: 86_400, Hour: 3_600, Minute: 60, Second: 1 };

/** Sources that a node meets for the first time in a second, and still has room for each until it is forgotten. */
const NEWCOMERS_PER_SECOND = 1024;
/** As many as the kernel itself has room for by default (xt_hashlimit.c, htable_create): 7.5 MiB. */
const LEAST_SOURCES = 65_536;
/** 30 MiB: a source is 120 bytes of kernel memory (slab xt_hashlimit), taken when it comes. Below the kernel's own 1,048,576. */
const MOST_SOURCES = 262_144;
/** Sources in a bucket of a table that is full, as in the kernel's own tables. A bucket is 8 bytes, taken at once. */
const SOURCES_PER_BUCKET = 8;

/** Seconds in which a whole burst comes back. */
export function refillSeconds({ limit, per, burst }: NodeRateLimit["newConnections"]): number {
  return (burst * UNIT_SECONDS[per]) / limit;
}

/** How large a limit's table is in one family. */
export interface LimitRoom {
  /** What it remembers at most; a source that finds no room is refused. */
  readonly sources: number;
  readonly buckets: number;
}

/**
 * Room for every source that can be, where the prefix length leaves few: such a table is never full. Else for those that
 * come while one is remembered, up to a bound on memory.
 *
 * Only the limit itself decides, not whom the policies allow: the kernel keeps a table's size for as long as its name
 * lives, so each edit of an allow list would need a new table, and give every source its burst anew.
 */
export function limitRoom({ prefixLength, newConnections }: NodeRateLimit, family: Family): LimitRoom {
  const possible = 2 ** (family === 4 ? prefixLength.ipv4 : prefixLength.ipv6);
  const atOnce = 2 ** Math.ceil(Math.log2(NEWCOMERS_PER_SECOND * refillSeconds(newConnections)));
  const sources = Math.min(possible, Math.max(atOnce, LEAST_SOURCES), MOST_SOURCES);
  return { sources, buckets: Math.max(1, sources / SOURCES_PER_BUCKET) };
}
