import type { PeerProbe } from "../api/peer-probes.ts";
import { canonicalCidrs } from "./cluster-addresses.ts";

/** Of a node, in each family. */
interface Ends {
  readonly 4: string | undefined;
  readonly 6: string | undefined;
}

/**
 * From an address of the peer to one of the node, in each family that both have: the first of each, which a Node object has
 * for InternalIP. An ExternalIP is often a translation somewhere else, which says nothing of the node's own rules.
 */
export function probePaths(from: Ends | undefined, to: Ends | undefined): PeerProbe["paths"] {
  return ([4, 6] as const).flatMap((family) => {
    const [a, b] = [from?.[family], to?.[family]];
    return a === undefined || b === undefined ? [] : [{ from: a, to: b }];
  });
}

export function endsOf(addresses: readonly string[]): Ends {
  const plain = [...canonicalCidrs(addresses)].map((cidr) => cidr.replace(/\/.*$/, ""));
  return { 4: plain.find((one) => !one.includes(":")), 6: plain.find((one) => one.includes(":")) };
}
