import { canonicalJson } from "../plan/canonical-json.ts";
import { subtractCidrs } from "../plan/cidrs.ts";
import { containsPorts } from "../plan/ports.ts";
import type { PeerList, Peers, PlanEntry } from "../plan/types.ts";

const EVERY_ADDRESS = ["0.0.0.0/0", "::/0"] as const;

export function matchesNobody(peers: Peers): boolean {
  return peers !== "Everybody" && peers.cidrs.length + peers.groups.length === 0;
}

export function matchesEverybody(peers: Peers): boolean {
  return subtractCidrs(EVERY_ADDRESS, listOf(peers).cidrs).length === 0;
}

/**
 * The fewest of `others` that together match whatever `inner` matches, also after groups change: one of them, or all that
 * have a part in it. undefined where they leave something over, or `inner` matches nobody.
 */
export function coveredBy(inner: PlanEntry, others: readonly PlanEntry[]): readonly PlanEntry[] | undefined {
  if (matchesNobody(inner.peers)) return undefined;
  const candidates = others.filter(
    ({ ports, protocols }) =>
      inner.protocols.every((protocol) => protocols.includes(protocol)) && containsPorts(ports, inner.ports),
  );
  const alone = candidates.find(({ peers }) => covers([peers], inner.peers));
  if (alone !== undefined) return [alone];
  const parts = candidates.filter(({ peers }) => meets(peers, inner.peers));
  return covers(
    parts.map(({ peers }) => peers),
    inner.peers,
  )
    ? parts
    : undefined;
}

/** Entries that others of the same list cover, each with those; of two that say the same the later one. */
export function redundantEntries(
  entries: readonly PlanEntry[],
): { readonly entry: PlanEntry; readonly by: readonly PlanEntry[] }[] {
  let left = entries;
  return entries.toReversed().flatMap((entry) => {
    const others = left.filter((other) => other !== entry);
    const by = coveredBy(entry, others);
    if (by === undefined) return [];
    left = others;
    return [{ entry, by }];
  });
}

function listOf(peers: Peers): PeerList {
  return peers === "Everybody" ? { cidrs: EVERY_ADDRESS, groups: [] } : peers;
}

function covers(outer: readonly Peers[], inner: Peers): boolean {
  const lists = outer.map(listOf);
  const cidrs = lists.flatMap((list) => list.cidrs);
  const { cidrs: wanted, groups } = listOf(inner);
  if (subtractCidrs(wanted, cidrs).length > 0) return false;
  const known = new Set(lists.flatMap((list) => list.groups.map(canonicalJson)));
  return groups.every((ref) => known.has(canonicalJson(ref))) || subtractCidrs(EVERY_ADDRESS, cidrs).length === 0;
}

function meets(outer: Peers, inner: Peers): boolean {
  const [one, other] = [listOf(outer), listOf(inner)];
  const known = new Set(one.groups.map(canonicalJson));
  const left = subtractCidrs(other.cidrs, one.cidrs);
  return (
    canonicalJson(left) !== canonicalJson(other.cidrs) || other.groups.some((ref) => known.has(canonicalJson(ref)))
  );
}
