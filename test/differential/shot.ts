import type { Packet } from "../../src/simulate/packet.ts";
import type { Attempt } from "../lab/traffic/protocol.ts";
import { type Family, INTERFACES, NODE, type ProtocolName, type SenderName, type Target } from "./places.ts";
import type { FirstPacket } from "./plain-reading.ts";

/** One connection to try: who, from which address, to what. */
export interface Shot {
  readonly sender: SenderName;
  readonly family: Family;
  readonly source: string;
  readonly protocol: ProtocolName;
  readonly target: Target;
}

/** The node's interface by which it comes in, or by which it leaves. */
function interfaceOf({ sender, target: { out = "" } }: Shot): string {
  return sender === "node" ? out : INTERFACES[sender];
}

export function describeShot(shot: Shot): string {
  const { sender, source, protocol, target, family } = shot;
  const { name, address, port } = target;
  const way = sender === "node" ? "out" : "in";
  return `${protocol} ${source} (${sender}) -> ${address[family]} port ${port} (${name}) ${way} ${interfaceOf(shot)}`;
}

export function attemptOf({ source, family, protocol, target }: Shot): Attempt {
  const broadcast = target.kind === "Many" ? { broadcast: true } : {};
  const name = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;
  return { from: source, protocol: name[protocol], to: target.address[family], port: target.port, ...broadcast };
}

/**
 * The answer to what was sent to many. It comes from an address of the node's own, so conntrack takes it for a flow that
 * the node opens. To a port that the kernel chose: no scope of arbitrary-case.ts begins or ends among those (32768-60999).
 */
export function answerTo({ source, family, protocol, target }: Shot): Shot | undefined {
  if (target.kind !== "Many") return undefined;
  const back: Target = {
    name: "the answer",
    address: { 4: source, 6: source },
    port: 40_000,
    kind: "Other",
    out: "eth0",
  };
  return { sender: "node", family, source: NODE[family], protocol, target: back };
}

/** For the plain reading. */
export function firstPacketOf(shot: Shot): FirstPacket {
  const { sender, source, family, protocol, target } = shot;
  const { address, port, kind, leadsTo } = target;
  return {
    direction: sender === "node" ? "outbound" : "inbound",
    protocol,
    source,
    interface: interfaceOf(shot),
    destination: { address: address[family], port, kind },
    ...(leadsTo === undefined
      ? {}
      : { leadsTo: { address: leadsTo.address[family], port: leadsTo.port, kind: leadsTo.own ? "Own" : "Other" } }),
  };
}

/** For the simulator, which is asked about a packet that leaves as it is behind the DNAT. */
export function packetOf(shot: Shot): Packet {
  const { sender, source, family, protocol, target } = shot;
  const { address, port, kind, leadsTo } = target;
  const name = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;
  const common = { family, protocol: name[protocol], source };
  const to = { destination: address[family], destinationPort: port, destinationType: typeOf(kind, family) };
  const translated = leadsTo && { destination: leadsTo.address[family], destinationPort: leadsTo.port };
  if (sender === "node") {
    const behind = leadsTo && { ...translated, destinationType: typeOf(leadsTo.own ? "Own" : "Other", family) };
    return { ...common, ...to, ...behind, out: interfaceOf(shot) };
  }
  const translation = translated && leadsTo && { translation: { ...translated, toNode: leadsTo.own } };
  return { ...common, ...to, in: interfaceOf(shot), ...translation };
}

function typeOf(kind: Target["kind"], family: Family): Packet["destinationType"] {
  if (kind === "Many") return family === 4 ? "BROADCAST" : "ANYCAST";
  return kind === "Own" ? "LOCAL" : "UNICAST";
}
