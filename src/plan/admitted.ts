/** Whom lists of peers let in, all sources at once. */

import type { AddressSet, Family, ResolvedPeers } from "./node-plan.ts";
import { comparePrefixes, containsPrefix, type Prefix } from "./prefix.ts";
import { countUpTo, parseAddress } from "./prefix-lookup.ts";
import { aggregatePrefixes, subtractPrefixes } from "./prefix-sets.ts";
import { parsePrefix } from "./prefix-text.ts";

export type Admitted = "All" | "Some" | "None";

const BITS = { 4: 32, 6: 128 } as const;
const EVERYBODY = { 4: ["0.0.0.0/0"], 6: ["::/0"] } as const;

/** Whether there is anybody of the family among them. */
export function anybody(sets: readonly AddressSet[], peers: ResolvedPeers, family: Family): boolean {
  return entriesOf(sets, peers, family).length > 0;
}

/** How many are in `allowed` and not in `denied`, exactly: but a deny is one though it hit nobody. Answers are kept, as the lists are few. */
export function admitted(
  sets: readonly AddressSet[],
): (allowed: readonly ResolvedPeers[], denied: readonly ResolvedPeers[], family: Family) => Admitted {
  const answers = new Map<string, Admitted>();
  return (allowed, denied, family) => {
    const key = `${family} ${namesOf(allowed, family)} - ${namesOf(denied, family)}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const lists = (all: readonly ResolvedPeers[]) =>
      all.map((peers) => entriesOf(sets, peers, family)).filter((entries) => entries.length > 0);
    const answer = subtract(lists(allowed), lists(denied), family);
    answers.set(key, answer);
    return answer;
  };
}

function namesOf(lists: readonly ResolvedPeers[], family: Family): string {
  return lists.map((peers) => (peers === "Everybody" ? "*" : peers.sets[family])).join(" ");
}

/** As in sets: sorted and disjoint. */
type Entries = readonly string[];

function entriesOf(sets: readonly AddressSet[], peers: ResolvedPeers, family: Family): Entries {
  if (peers === "Everybody") return EVERYBODY[family];
  const name = peers.sets[family];
  return sets.find((set) => set.name === name)?.entries ?? [];
}

function subtract(allow: readonly Entries[], deny: readonly Entries[], family: Family): Admitted {
  if (allow.length === 0) return "None";
  if (deny.length === 0) return isWhole(allow.flat(), family) ? "All" : "Some";
  const denied = countAddresses(deny.flat(), family);
  const passes = (entry: string) => countAddresses([entry], family) > denied || leavesSome(parseEntry(entry), deny);
  return allow.some((entries) => entries.some(passes)) ? "Some" : "None";
}

function isWhole(entries: Entries, family: Family): boolean {
  // By numbers first: a list of 100,000 takes a while to join.
  return (
    countAddresses(entries, family) >= 2 ** BITS[family] && aggregatePrefixes(entries.map(parseEntry))[0]?.length === 0
  );
}

/** Whether some address of `prefix` is in none of the lists. */
function leavesSome(prefix: Prefix, deny: readonly Entries[]): boolean {
  const holes = deny.flatMap((entries) => overlapping(prefix, entries));
  return subtractPrefixes([prefix], holes).length > 0;
}

/** The entries that share addresses with `prefix`. Few are looked at, as a blocklist may have 100,000. */
function overlapping(prefix: Prefix, entries: Entries): Prefix[] {
  const at = (index: number) => parseEntry(entries[index] ?? "");
  const first = countUpTo(entries.length, (index) => comparePrefixes(at(index), prefix) < 0);
  if (first > 0 && containsPrefix(at(first - 1), prefix)) return [at(first - 1)];
  const found: Prefix[] = [];
  for (let index = first; index < entries.length && containsPrefix(prefix, at(index)); index += 1)
    found.push(at(index));
  return found;
}

function parseEntry(entry: string): Prefix {
  return entry.includes("/") ? parsePrefix(entry) : parseAddress(entry);
}

/** From the text alone; addresses in two lists count twice. */
function countAddresses(entries: Entries, family: Family): number {
  return entries.reduce((sum, entry) => sum + 2 ** (BITS[family] - lengthOf(entry, family)), 0);
}

function lengthOf(entry: string, family: Family): number {
  const slash = entry.indexOf("/");
  return slash < 0 ? BITS[family] : Number(entry.slice(slash + 1));
}
