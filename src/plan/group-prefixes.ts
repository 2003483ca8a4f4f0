import type { Family } from "./node-plan.ts";
import type { Prefix } from "./prefix.ts";
import { parsePrefix } from "./prefix-text.ts";
import type { GroupAddresses } from "./types.ts";

/** The shortest prefix that a group may bring into a deny: a slip in a shared list must not cut everybody off. */
const SHORTEST_DENY: Readonly<Record<Family, number>> = { 4: 8, 6: 16 };

export interface GroupPrefixes {
  readonly all: readonly Prefix[];
  /** What a deny may use of them, and what it may not. */
  readonly deniable: readonly Prefix[];
  readonly tooWide: readonly Prefix[];
}

/** Reads each group's addresses once, however many entries refer to it. Throws RangeError on a text that is no CIDR. */
export function groupReader(): (group: GroupAddresses) => GroupPrefixes {
  const known = new Map<GroupAddresses, GroupPrefixes>();
  return (group) => {
    const before = known.get(group);
    if (before !== undefined) return before;
    const all = group.addresses.map(parsePrefix);
    const isTooWide = ({ family, length }: Prefix) => length < SHORTEST_DENY[family];
    const tooWide = all.filter(isTooWide);
    const deniable = tooWide.length === 0 ? all : all.filter((prefix) => !isTooWide(prefix));
    const prefixes = { all, deniable, tooWide };
    known.set(group, prefixes);
    return prefixes;
  };
}
