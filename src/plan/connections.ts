/** Connections as a node sees them, before anything is judged. */
import type { Family } from "./node-plan.ts";
import type { Protocol } from "./types.ts";

/** One entry of conntrack that can still carry data. Addresses are plain text as inet_ntop(3) writes them. */
export interface TrackedConnection {
  readonly family: Family;
  readonly protocol: Protocol;
  /** Of the first packet that conntrack saw, before any translation. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Who answers it: the destination behind a translation. */
  readonly replySource: string;
  readonly replySourcePort: number;
}

/** What tells whose connections they are. */
export interface NodeNetwork {
  /** The node's own. */
  readonly addresses: ReadonlySet<string>;
  /** TCP ports on which a process of the node listens. */
  readonly listening: ReadonlySet<number>;
  /** The interface that the main routing table leads back by; "" where no route does. */
  readonly interfaceOf: (address: string) => string;
}

/** The opening of a connection, as far as a policy looks at it. */
export interface Opening {
  readonly direction: "Inbound" | "Outbound";
  readonly family: Family;
  readonly protocol: Protocol;
  /** The other end. */
  readonly peer: string;
  /** The port that was opened: the node's inbound, the other end's outbound. */
  readonly port: number;
  /** The node's address; inbound the one that was asked for, a service address too. */
  readonly local: string;
}

/** What of a node plan tells the openings. */
export interface ServiceAddresses {
  readonly isVip: (family: Family, address: string) => boolean;
  /** Origin of the judgement behind the DNAT (`NodePlan.vipCidrs`). */
  readonly isVipOrigin: (address: string) => boolean;
}

/**
 * Who opened what, as often as our rules judge it: empty where they do not (forwarded, within the node, or not to be told).
 *
 * For TCP a listening port says whose a connection is: connect(2) never takes a local port that a process has bound. What
 * conntrack saw first may be an answer, where it began in the middle. Without a listener an inbound TCP connection may be
 * the answer of one that the node opened, so it is nobody's. Where addresses are translated conntrack saw the opening.
 */
export function openingsOf(
  connection: TrackedConnection,
  { addresses, listening }: NodeNetwork,
  { isVip, isVipOrigin }: ServiceAddresses,
): readonly Opening[] {
  const { family, protocol, source, sourcePort, destination, destinationPort, replySource, replySourcePort } =
    connection;
  const translated = replySource !== destination || replySourcePort !== destinationPort;
  const opening = (direction: Opening["direction"], peer: string, port: number, local: string): Opening => {
    return { direction, family, protocol, peer, port, local };
  };
  if (addresses.has(source)) {
    if (addresses.has(replySource)) return [];
    const answered = protocol === "TCP" && !translated && listening.has(sourcePort);
    return answered
      ? [opening("Inbound", destination, sourcePort, source)]
      : [opening("Outbound", replySource, replySourcePort, source)];
  }
  if (!addresses.has(destination) && !isVip(family, destination)) return [];
  if (protocol === "TCP" && !translated && !listening.has(destinationPort)) return [];
  const asked = opening("Inbound", source, destinationPort, destination);
  const behind = translated && addresses.has(replySource) && isVipOrigin(destination);
  return behind ? [asked, opening("Inbound", source, replySourcePort, replySource)] : [asked];
}
