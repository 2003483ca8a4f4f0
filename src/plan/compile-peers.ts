import type { DeepReadonly } from "../api/deep-readonly.ts";
import type { Peer } from "../api/peers.ts";
import { normaliseCidrs, subtractCidrs } from "./cidrs.ts";
import { type LooseGroupRef, normaliseGroupRefs } from "./group-refs.ts";
import type { PeerList, Peers } from "./types.ts";

/**
 * Peers of an entry: each block less its own exceptions, then the union. Calls `onUnknown` for a peer without a
 * member that this version knows; if that returns, the peer matches nothing.
 */
export function compilePeers(list: DeepReadonly<Peer[]> | undefined, onUnknown: (index: number) => void): Peers {
  return list === undefined ? "Everybody" : compilePeerList(list, onUnknown);
}

/** The same where an absent list means nobody. */
export function compilePeerList(peers: DeepReadonly<Peer[]>, onUnknown: (index: number) => void): PeerList {
  const cidrs: string[] = [];
  const groups: LooseGroupRef[] = [];
  for (const [index, { ipBlock, nodes, addressGroup: { name, selector } = {} }] of peers.entries()) {
    if (ipBlock !== undefined) cidrs.push(...subtractCidrs([ipBlock.cidr], ipBlock.except ?? []));
    else if (nodes !== undefined) groups.push({ nodes });
    else if (name !== undefined) groups.push({ name });
    else if (selector !== undefined) groups.push({ selector });
    else onUnknown(index);
  }
  return { cidrs: normaliseCidrs(cidrs), groups: normaliseGroupRefs(groups) };
}
