import { isIP } from "node:net";
import type { Family } from "../plan/types.ts";

/** A packet as a person writes it. */
export interface AskedPacket {
  readonly protocol: "tcp" | "udp";
  readonly family: Family;
  readonly source: string;
  /** Absent: an address of the node itself. */
  readonly destination?: string;
  readonly destinationPort: number;
  readonly in: string;
}

const EXAMPLE =
  "write it as 'tcp 203.0.113.9 -> :8443 in eth0' or 'udp [2001:db8::9]:5353 -> [2001:db8::1]:8443 in eth0'";

/**
 * Reads `PROTOCOL SOURCE[:PORT] -> [DESTINATION]:PORT in INTERFACE`. The source's port is read and left out, as no rule
 * looks at it. Throws RangeError with what is wrong and an example.
 */
export function parsePacket(text: string): AskedPacket {
  const match = /^\s*(\S+)\s+(\S+)\s*->\s*(\S+)(?:\s+in\s+(\S+))?\s*$/i.exec(text);
  if (match === null) throw wrong(`"${text}" is no packet`);
  const [, protocolText = "", from = "", to = "", device] = match;
  const protocol = protocolText.toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp") throw wrong(`"${protocolText}": only tcp and udp are judged`);
  if (device === undefined) throw wrong("the interface by which it comes in is missing");
  if (!/^[^\s/+]{1,15}$/.test(device)) throw wrong(`"${device}" is no name of an interface`);
  const source = parseEndpoint(from);
  const destination = parseEndpoint(to);
  if (source.address === undefined) throw wrong("the address that it comes from is missing");
  if (destination.port === undefined) throw wrong(`the port that it goes to is missing in "${to}"`);
  const family = familyOf(source.address);
  if (destination.address !== undefined && familyOf(destination.address) !== family) {
    throw wrong(`${source.address} and ${destination.address} are not of one family`);
  }
  return {
    protocol,
    family,
    source: source.address,
    ...(destination.address === undefined ? {} : { destination: destination.address }),
    destinationPort: destination.port,
    in: device,
  };
}

interface Endpoint {
  readonly address?: string;
  readonly port?: number;
}

/** `203.0.113.9`, `203.0.113.9:80`, `2001:db8::9`, `[2001:db8::9]:80` or `:80`. */
function parseEndpoint(text: string): Endpoint {
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
  const port = portText === undefined ? {} : { port: parsePort(portText) };
  return address === "" ? port : { address, ...port };
}

/** No zones: they name an interface of one machine, and no rule looks at them. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (port < 1 || port > 65535) throw wrong(`port ${text} is not within 1-65535`);
  return port;
}

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function wrong(what: string): RangeError {
  return new RangeError(`${what}; ${EXAMPLE}`);
}
