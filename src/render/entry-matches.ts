import type { Family, NodeDirection, NodeEntry } from "../plan/node-plan.ts";
import type { Way } from "./dispatch.ts";
import { peerMatch, portMatches, rule } from "./rule.ts";

/** Rules that lead what an entry matches to `target`. Without comments: they decide nothing, and are not to be counted. */
export function entryRules(entry: NodeEntry, way: Way, family: Family, target: string): string[] {
  const peers = peerMatch(entry.peers, family, way.peer);
  if (peers === undefined) return [];
  return portMatches(entry.protocols, entry.ports).map((match) => rule(match, peers, target));
}

/** Rules that lead all that a direction has in scope to `target`. */
export function scopeRules({ protocols, ports }: NodeDirection, target: string): string[] {
  return portMatches(protocols, ports).map((match) => rule(match, target));
}
