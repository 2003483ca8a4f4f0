import type { Family } from "../plan/node-plan.ts";

/** What the node's routing takes an address for (rtnetlink(7), RTN_*). */
export type AddressType = "LOCAL" | "UNICAST" | "BROADCAST" | "MULTICAST" | "ANYCAST";

/** Addresses are plain text, without length. */
interface AnyPacket {
  readonly family: Family;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly source: string;
  readonly destination: string;
  readonly destinationPort: number;
  readonly destinationType: AddressType;
  /** Needed only to know the answers of what is cut. */
  readonly sourcePort?: number;
  /** What conntrack takes it for; default NEW. */
  readonly state?: "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "UNTRACKED";
  /** Default ORIGINAL: the way of the flow's first packet. */
  readonly direction?: "ORIGINAL" | "REPLY";
  /** TCP: opens a connection (SYN without ACK); default true. */
  readonly syn?: boolean;
}

/** A packet that comes in by an interface of the node, before any translation. */
export interface ArrivingPacket extends AnyPacket {
  /** Name of the interface. */
  readonly in: string;
  /** Where a DNAT sends it (a NodePort, a service address). `toNode`: to an address of the node itself. */
  readonly translation?: { readonly destination: string; readonly destinationPort: number; readonly toNode: boolean };
}

/** A packet that a process in the node's own network namespace sends; its destination as it is after any translation. */
export interface LeavingPacket extends AnyPacket {
  /** Name of the interface that was chosen before any translation. */
  readonly out: string;
  /** Default LOCAL; other only where a process sends from an address that is none of the node's. */
  readonly sourceType?: AddressType;
}

export type Packet = ArrivingPacket | LeavingPacket;

/** The packet at one hook: the destination is the one of that moment. */
export interface PacketAtHook extends AnyPacket {
  /** Empty where there is none: a packet that leaves came in by none. */
  readonly in: string;
  readonly out: string;
  readonly sourceType: AddressType;
  /** The destination of the flow's first packet, before any translation. */
  readonly originalDestination: string;
  readonly translated: boolean;
  /** The packet's mark so far; default 0. */
  readonly mark?: number;
  /** Sets to which rules added the packet's address on its way here. */
  readonly addedTo?: ReadonlySet<string>;
}
