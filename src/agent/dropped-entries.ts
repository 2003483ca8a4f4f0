import { DROPPED_MAX, type DroppedOnNode } from "../api/dropped.ts";
import { TOP_PEERS_MAX } from "../api/observed.ts";
import type { DroppedPeer } from "../kernel/kernel.ts";
import { compareText } from "../plan/text-order.ts";
import type { DroppingEntry } from "../render/types.ts";
import type { EntryDrops } from "./drop-counts.ts";

/** What of drops a status tells: by entry, with the addresses that had most of them. */
export interface DroppedEntries {
  /** Who was dropped since the last call. */
  add(entry: DroppingEntry, peers: readonly DroppedPeer[]): void;
  /** An agent before this one reported these: `counted` is what this one has counted by now. */
  carryOn(reported: readonly DroppedOnNode[], counted: readonly EntryDrops[]): void;
  keep(policies: ReadonlySet<string>): void;
  /** Those with most packets; addresses of policies that log. */
  status(counted: readonly EntryDrops[], logs: (policy: string) => boolean): DroppedOnNode[];
}

/** Addresses whose packets are summed for an entry. Where there are more, the better half stays. */
const ADDRESSES_MAX = 2048;

const keyOf = ({ policy, direction, entry }: DroppingEntry): string => `${policy} ${direction} ${entry}`;

export function droppedEntries(): DroppedEntries {
  const packets = new Map<string, Map<string, number>>();
  const carried = new Map<string, number>();

  function addressesOf(entry: DroppingEntry): Map<string, number> {
    const key = keyOf(entry);
    const known = packets.get(key) ?? new Map<string, number>();
    packets.set(key, known);
    return known;
  }

  function topPeers(entry: DroppingEntry) {
    return sorted(packets.get(keyOf(entry)) ?? [])
      .slice(0, TOP_PEERS_MAX)
      .map(([address, count]) => ({ address, packets: count }));
  }

  return {
    add(entry, peers) {
      const known = addressesOf(entry);
      for (const { address, packets: more } of peers) known.set(address, (known.get(address) ?? 0) + more);
      if (known.size <= ADDRESSES_MAX) return;
      for (const [address] of sorted(known).slice(ADDRESSES_MAX / 2)) known.delete(address);
    },
    carryOn(reported, counted) {
      const now = new Map(counted.map((entry) => [keyOf(entry), entry.packets]));
      for (const { topPeers: peers = [], packets: before, ...entry } of reported) {
        carried.set(keyOf(entry), Math.max(0, before - (now.get(keyOf(entry)) ?? 0)));
        const known = addressesOf(entry);
        for (const { address, packets: more } of peers) known.set(address, (known.get(address) ?? 0) + more);
      }
    },
    keep(policies) {
      for (const map of [packets, carried])
        for (const key of map.keys()) if (!policies.has(key.split(" ")[0] ?? "")) map.delete(key);
    },
    status(counted, logs) {
      return counted
        .map((entry) => ({ ...entry, packets: entry.packets + (carried.get(keyOf(entry)) ?? 0) }))
        .filter((entry) => entry.packets > 0)
        .toSorted((a, b) => b.packets - a.packets || compareText(keyOf(a), keyOf(b)))
        .slice(0, DROPPED_MAX)
        .map((entry) => (logs(entry.policy) ? { ...entry, topPeers: topPeers(entry) } : entry));
    },
  };
}

function sorted(addresses: Iterable<readonly [string, number]>): (readonly [string, number])[] {
  return [...addresses].toSorted(([a, m], [b, n]) => n - m || compareText(a, b));
}
