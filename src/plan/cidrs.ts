/** Sets of addresses as lists of CIDRs: v4 and v6 in one list, sorted, disjoint and aggregated. */
import type { Prefix } from "./prefix.ts";
import { halvePrefix } from "./prefix.ts";
import { aggregatePrefixes, subtractPrefixes } from "./prefix-sets.ts";
import { formatPrefix, formatSetEntry, parsePrefix } from "./prefix-text.ts";

/** The one shortest list of canonical CIDRs for the addresses of `cidrs`. Throws RangeError naming what is no CIDR. */
export function normaliseCidrs(cidrs: readonly string[]): string[] {
  return aggregatePrefixes(cidrs.map(parsePrefix)).map(formatPrefix);
}

/** The addresses of `cidrs` that are in none of `except`, exactly; normalised. Throws RangeError naming what is no CIDR. */
export function subtractCidrs(cidrs: readonly string[], except: readonly string[]): string[] {
  return subtractPrefixes(cidrs.map(parsePrefix), except.map(parsePrefix)).map(formatPrefix);
}

/**
 * Entries of a hash:net set for `prefixes`, normalised. Everything becomes two halves, as ipset refuses
 * a prefix of length 0 (ipset(8), hash:net).
 */
export function setEntries(prefixes: readonly Prefix[]): string[] {
  return aggregatePrefixes(prefixes)
    .flatMap((prefix) => (prefix.length === 0 ? halvePrefix(prefix) : [prefix]))
    .map(formatSetEntry);
}
