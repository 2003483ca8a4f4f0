/** What a policy in mode Observe would change: on one node, and on all together. */
import { OBSERVED_MAX, type ObservedEntry, TOP_PEERS_MAX, type WantedOnNodes } from "../api/observed.ts";
import type { PolicyStatus } from "../api/policy.ts";
import { compareText } from "../plan/text-order.ts";
import type { NodeStateFacts, ReportedPolicy } from "./node-state-facts.ts";

type Wanted = Omit<WantedOnNodes, "nodes">;

export interface ObservedOutcome {
  readonly wouldDropPackets: number;
  readonly wouldOpenPackets: number;
  readonly entries: readonly ObservedEntry[];
  readonly settings: readonly Wanted[];
}

/** undefined where the node does not observe the policy. */
export function observedOutcome(
  { name, wouldDropPackets, wouldOpenPackets }: ReportedPolicy,
  { observed, wouldSet }: Pick<NodeStateFacts, "observed" | "wouldSet">,
): ObservedOutcome | undefined {
  if (wouldDropPackets === undefined && wouldOpenPackets === undefined) return undefined;
  const own = <T extends { readonly policy: string }>(list: readonly T[]) =>
    list.flatMap(({ policy, ...rest }) => (policy === name ? [rest] : []));
  return {
    wouldDropPackets: wouldDropPackets ?? 0,
    wouldOpenPackets: wouldOpenPackets ?? 0,
    entries: own(observed),
    settings: own(wouldSet),
  };
}

type ObservedStatus = Pick<PolicyStatus, "wouldDropPackets" | "wouldOpenPackets" | "observed" | "wouldSet">;

/** Sums over the nodes; nothing where none observes. */
export function summariseObserved(outcomes: readonly ObservedOutcome[]): ObservedStatus {
  if (outcomes.length === 0) return {};
  return {
    wouldDropPackets: total(outcomes.map(({ wouldDropPackets }) => wouldDropPackets)),
    wouldOpenPackets: total(outcomes.map(({ wouldOpenPackets }) => wouldOpenPackets)),
    observed: sumEntries(outcomes.flatMap(({ entries }) => entries)),
    wouldSet: countSettings(outcomes.flatMap(({ settings }) => settings)),
  };
}

function sumEntries(entries: readonly ObservedEntry[]): ObservedEntry[] {
  const groups = Map.groupBy(entries, ({ direction, would, entry }) => `${direction} ${would} ${entry}`);
  const sums = [...groups].flatMap(([key, [first, ...others]]) => {
    if (first === undefined) return [];
    const all = [first, ...others];
    const topPeers = topAddresses(all.flatMap((one) => one.topPeers));
    return [{ key, entry: { ...first, packets: total(all.map(({ packets }) => packets)), topPeers } }];
  });
  return sums
    .toSorted((a, b) => b.entry.packets - a.entry.packets || compareText(a.key, b.key))
    .slice(0, OBSERVED_MAX)
    .map(({ entry }) => entry);
}

function topAddresses(peers: ObservedEntry["topPeers"]): ObservedEntry["topPeers"] {
  const groups = Map.groupBy(peers, ({ address }) => address);
  return [...groups]
    .map(([address, counts]) => ({ address, packets: total(counts.map(({ packets }) => packets)) }))
    .toSorted((a, b) => b.packets - a.packets || compareText(a.address, b.address))
    .slice(0, TOP_PEERS_MAX);
}

/** By what would be set over what was measured: most nodes are alike. */
function countSettings(settings: readonly Wanted[]): WantedOnNodes[] {
  const groups = Map.groupBy(settings, ({ key, value, measured }) => JSON.stringify([key, value, measured]));
  return [...groups]
    .toSorted(([a, m], [b, n]) => n.length - m.length || compareText(a, b))
    .slice(0, OBSERVED_MAX)
    .flatMap(([, [first, ...others]]) => (first === undefined ? [] : [{ ...first, nodes: 1 + others.length }]));
}

function total(counts: readonly number[]): number {
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    counts.reduce((sum, count) => sum + count, 0),
  );
}
