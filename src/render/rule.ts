import type { Family, ResolvedList, ResolvedPeers } from "../plan/node-plan.ts";
import type { PortRange, Protocol } from "../plan/types.ts";
import { renderMultiport } from "./multiport.ts";

/** The comment of our rules in chains that are not ours: how they are told from everybody else's. */
export const TAG = "port-hardening";

/** Opens a TCP connection. */
export const SYN = "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN";

/** Neither opens a TCP connection nor ends it. */
export const NOT_OPENING = "-p tcp -m tcp --tcp-flags SYN,RST NONE";

/**
 * Opens an SCTP association. An INIT must stand alone in its packet (RFC 9260, 6.10), but is judged wherever it stands.
 * Rules with it exist only where a policy names SCTP: they need a module (xt_sctp) that a node may lack.
 */
export const INIT = "-p sctp -m sctp --chunk-types any INIT";

export const NOT_INIT = "-p sctp -m sctp ! --chunk-types any INIT";

/** Matches and target joined as iptables-save prints them; empty parts fall out. */
export function rule(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

/** `policy/entry/hash`: names are DNS labels and the hash is hex, so nothing here needs escaping. */
export function comment(policy: string, entry: string, hash: string): string {
  return `-m comment --comment "${policy}/${entry}/${hash}"`;
}

/** One match a protocol and multiport group: together they match `protocols` x `ports`. */
export function portMatches(protocols: readonly Protocol[], ports: readonly PortRange[]): string[] {
  const groups = renderMultiport(ports);
  return protocols.flatMap((protocol) =>
    groups.map((group) => `-p ${protocol.toLowerCase()} -m multiport --dports ${group}`),
  );
}

/**
 * The match on a packet's source ("src") or destination ("dst"): "" matches everybody, undefined nobody of this family.
 */
export function peerMatch(peers: ResolvedPeers, family: Family, side: "src" | "dst"): string | undefined {
  if (peers === "Everybody") return "";
  const set = peers.sets[family];
  return set === undefined ? undefined : `-m set --match-set ${set} ${side}`;
}

/** The match on packets whose source or destination is not among `peers`; "" where nobody of this family is. */
export function exceptMatch(peers: ResolvedList, family: Family, side: "src" | "dst"): string {
  const set = peers.sets[family];
  return set === undefined ? "" : `-m set ! --match-set ${set} ${side}`;
}
