import type { ArrivingPacket } from "../../src/simulate/packet.ts";
import type { Attempt } from "../lab/traffic/protocol.ts";
import { type Family, INTERFACES, NODE, type SenderName, type Target } from "./places.ts";
import type { FirstPacket } from "./plain-reading.ts";

/** One connection to try: who, from which address, to what. */
export interface Shot {
  readonly sender: SenderName;
  readonly family: Family;
  readonly source: string;
  readonly protocol: "TCP" | "UDP";
  readonly target: Target;
}

export function describeShot({ sender, source, protocol, target, family }: Shot): string {
  const { name, address, port } = target;
  return `${protocol} ${source} (${sender}) -> ${address[family]} port ${port} (${name}) in ${INTERFACES[sender]}`;
}

export function attemptOf({ source, family, protocol, target }: Shot): Attempt {
  const broadcast = target.kind === "Many" ? { broadcast: true } : {};
  const to = { to: target.address[family], port: target.port };
  return { from: source, protocol: protocol === "TCP" ? "tcp" : "udp", ...to, ...broadcast };
}

/** For the plain reading. */
export function firstPacketOf({ sender, source, family, protocol, target }: Shot): FirstPacket {
  const { address, port, kind, leadsTo } = target;
  return {
    protocol,
    source,
    interface: INTERFACES[sender],
    destination: address[family],
    port,
    destinationKind: kind,
    ...(leadsTo === undefined ? {} : { leadsTo }),
  };
}

/** For the simulator. */
export function packetOf({ sender, source, family, protocol, target }: Shot): ArrivingPacket {
  const { address, port, kind, leadsTo } = target;
  const translation =
    leadsTo === undefined
      ? {}
      : {
          translation: {
            destination: leadsTo === "Elsewhere" ? "198.19.1.2" : NODE[family],
            destinationPort: leadsTo === "Elsewhere" ? 8080 : leadsTo.nodePort,
            toNode: leadsTo !== "Elsewhere",
          },
        };
  return {
    family,
    protocol: protocol === "TCP" ? "tcp" : "udp",
    source,
    destination: address[family],
    destinationPort: port,
    destinationType: destinationType(kind, family),
    in: INTERFACES[sender],
    ...translation,
  };
}

function destinationType(kind: Target["kind"], family: Family): ArrivingPacket["destinationType"] {
  if (kind === "Many") return family === 4 ? "BROADCAST" : "ANYCAST";
  return kind === "Own" ? "LOCAL" : "UNICAST";
}
