import { UnknownFormError } from "./errors.ts";
import type { PacketAtHook } from "./packet.ts";
import type { RuleOption } from "./rule-words.ts";

export type Match = (packet: PacketAtHook) => boolean;
/** The set's lookup, or undefined where there is no such set. */
export type Sets = (name: string) => SetLookup | undefined;
/**
 * Of an address, or of a connection as hash:ip,port,ip has it: the words of `--match-set` say which. Or of a set that
 * rules fill, which is taken to be empty before.
 */
export type SetLookup =
  | { readonly address: (address: string) => boolean }
  | { readonly connection: ConnectionLookup }
  | { readonly filled: true };
type ConnectionLookup = (peer: string, port: string, local: string) => boolean;

/** What rules add to sets: an address, or an address with the port that is opened. */
export const FILLED_BY: ReadonlySet<string> = new Set(["src", "dst", "src,dst", "dst,dst"]);
const ADDRESS_TYPES = new Set(["LOCAL", "UNICAST", "BROADCAST", "MULTICAST", "ANYCAST"]);

/** One option that tests the packet, conntrack's own excepted. `values` are as many as the option takes. */
export function optionMatch({ name, values }: RuleOption, sets: Sets, text: string): Match {
  const [first = "", second = ""] = values;
  switch (name) {
    case "-p":
      if (first !== "tcp" && first !== "udp" && first !== "sctp") throw new UnknownFormError(`protocol ${first}`, text);
      return ({ protocol }) => protocol === first;
    case "--chunk-types":
      // An INIT stands alone in its packet (RFC 9260, 6.10), and only the first packet is simulated.
      if (second !== "INIT" || (first !== "any" && first !== "only"))
        throw new UnknownFormError(`chunks ${second}`, text);
      return ({ protocol }) => protocol === "sctp";
    case "-i":
      return ({ in: device }) => onInterface(first, device);
    case "-o":
      return ({ out: device }) => onInterface(first, device);
    case "--tcp-flags":
      return tcpFlags(first, second, text);
    case "--dports": {
      const ranges = first.split(",").map((range) => portRange(range, text));
      return ({ destinationPort: port }) => ranges.some(([from, to]) => from <= port && port <= to);
    }
    case "--match-set": {
      const holds = sets(first);
      if (holds === undefined) throw new UnknownFormError(`a set named ${first}`, text);
      if ("connection" in holds) return connectionMatch(second, holds.connection, text);
      if ("filled" in holds) {
        if (!FILLED_BY.has(second)) throw new UnknownFormError(`"${second}" of a set`, text);
        return ({ addedTo }) => addedTo?.has(first) === true;
      }
      if (second !== "src" && second !== "dst") throw new UnknownFormError(`"${second}" of a set`, text);
      return ({ source, destination }) => holds.address(second === "src" ? source : destination);
    }
    case "--mark": {
      const [, value, mask] = /^(0x[0-9a-f]+)\/(0x[0-9a-f]+)$/.exec(first) ?? [];
      if (value === undefined) throw new UnknownFormError(`mark ${first}`, text);
      return ({ mark = 0 }) => (mark & Number(mask)) === Number(value);
    }
    case "--dst-type":
    case "--src-type":
      if (!ADDRESS_TYPES.has(first)) throw new UnknownFormError(`address type ${first}`, text);
      return ({ destinationType, sourceType }) => first === (name === "--dst-type" ? destinationType : sourceType);
    default:
      throw new UnknownFormError(name, text);
  }
}

function connectionMatch(words: string, holds: ConnectionLookup, text: string): Match {
  const sides = words.split(",");
  if (sides.length !== 3 || sides.some((side) => side !== "src" && side !== "dst"))
    throw new UnknownFormError(`"${words}" of a set`, text);
  return ({ protocol, source, destination, sourcePort, destinationPort }) => {
    const address = (side: string | undefined) => (side === "src" ? source : destination);
    const port = sides[1] === "src" ? sourcePort : destinationPort;
    return port !== undefined && holds(address(sides[0]), `${protocol}:${port}`, address(sides[2]));
  };
}

/** A pattern that ends in + means every name that begins so (iptables(8), --in-interface). */
function onInterface(pattern: string, device: string): boolean {
  return pattern.endsWith("+") ? device.startsWith(pattern.slice(0, -1)) : device === pattern;
}

/** Of the flags in `mask` exactly those in `set` are up (NONE: none). A packet of a connection that stands has ACK. */
function tcpFlags(mask: string, set: string, text: string): Match {
  const known = ["FIN", "SYN", "RST", "ACK"];
  const wanted = set === "NONE" ? [] : set.split(",");
  const unknown = [...mask.split(","), ...wanted].find((flag) => !known.includes(flag));
  if (unknown !== undefined) throw new UnknownFormError(`TCP flag ${unknown}`, text);
  return ({ protocol, syn = true }) => {
    const up = syn ? "SYN" : "ACK";
    return protocol === "tcp" && mask.split(",").every((flag) => wanted.includes(flag) === (flag === up));
  };
}

function portRange(range: string, text: string): [number, number] {
  const match = /^(\d+)(?::(\d+))?$/.exec(range);
  if (match === null) throw new UnknownFormError(`ports ${range}`, text);
  return [Number(match[1]), Number(match[2] ?? match[1])];
}
