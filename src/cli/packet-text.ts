import { isIP } from "node:net";
import type { Family } from "../plan/node-plan.ts";

interface Asked {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly family: Family;
  readonly destinationPort: number;
}

/** A packet that comes in, as a person writes it. */
export interface AskedArriving extends Asked {
  readonly source: string;
  /** Absent: an address of the node itself. */
  readonly destination?: string;
  readonly in: string;
}

/** A packet that a process of the node sends. */
export interface AskedLeaving extends Asked {
  /** Absent: the address that the node's routing picks. */
  readonly source?: string;
  readonly destination: string;
  readonly out: string;
}

export type AskedPacket = AskedArriving | AskedLeaving;

const EXAMPLE =
  "write it as 'tcp 203.0.113.9 -> :8443 in eth0', 'udp [2001:db8::9]:5353 -> [2001:db8::1]:8443 in eth0' or, where the " +
  "node itself sends it, 'tcp -> 203.0.113.9:443 out eth0'";

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/**
 * Reads `PROTOCOL SOURCE[:PORT] -> [DESTINATION]:PORT in INTERFACE` and `PROTOCOL [SOURCE][:PORT] -> DESTINATION:PORT out
 * INTERFACE`. The source's port is read and left out, as no rule looks at it. Throws RangeError with what is wrong and an
 * example.
 */
export function parsePacket(text: string): AskedPacket {
  const match = /^\s*([a-z]+)(?:\s+(\S+?))?\s*->\s*(\S+)(?:\s+(in|out)\s+(\S+))?\s*$/i.exec(text);
  if (match === null) throw wrong(`"${text}" is no packet`);
  const [, protocolText = "", from, to = "", way, device] = match;
  const protocol = PROTOCOLS.find((one) => one === protocolText.toLowerCase());
  if (protocol === undefined) throw wrong(`"${protocolText}": only ${PROTOCOLS.join(", ")} are judged`);
  if (device === undefined) throw wrong("the interface by which it comes in or goes out is missing");
  if (!/^[^\s/+]{1,15}$/.test(device)) throw wrong(`"${device}" is no name of an interface`);
  const source = from === undefined ? {} : parseEndpoint(from, 0);
  const destination = parseEndpoint(to, 1);
  if (destination.port === undefined) throw wrong(`the port that it goes to is missing in "${to}"`);
  const family = familyOf(source.address ?? destination.address ?? "");
  if (destination.address !== undefined && familyOf(destination.address) !== family) {
    throw wrong(`${source.address} and ${destination.address} are not of one family`);
  }
  const asked = { protocol, family, destinationPort: destination.port };
  if (way?.toLowerCase() === "out") {
    if (destination.address === undefined) throw wrong("the address that it goes to is missing");
    const own = source.address === undefined ? {} : { source: source.address };
    return { ...asked, ...own, destination: destination.address, out: device };
  }
  if (source.address === undefined) throw wrong("the address that it comes from is missing");
  const aim = destination.address === undefined ? {} : { destination: destination.address };
  return { ...asked, source: source.address, ...aim, in: device };
}

interface Endpoint {
  readonly address?: string;
  readonly port?: number;
}

/** `203.0.113.9`, `203.0.113.9:80`, `2001:db8::9`, `[2001:db8::9]:80` or `:80`. */
function parseEndpoint(text: string, leastPort: number): Endpoint {
  if (isAddress(text)) return { address: text };
  const [, bracketed, bare, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(text) ?? [];
  const address = bracketed ?? bare;
  if (
    address === undefined ||
    (address !== "" && !isAddress(address)) ||
    (bracketed !== undefined && !bracketed.includes(":"))
  ) {
    throw wrong(`"${text}" is no address`);
  }
  const port = portText === undefined ? {} : { port: parsePort(portText, leastPort) };
  return address === "" ? port : { address, ...port };
}

/** No zones: they name an interface of one machine, and no rule looks at them. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

function parsePort(text: string, least: number): number {
  const port = Number(text);
  if (port < least || port > 65535) throw wrong(`port ${text} is not within ${least}-65535`);
  return port;
}

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function wrong(what: string): RangeError {
  return new RangeError(`${what}; ${EXAMPLE}`);
}
