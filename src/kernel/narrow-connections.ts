import { normaliseCidrs, subtractCidrs } from "../plan/cidrs.ts";
import { coversInterface } from "../plan/interfaces.ts";
import { subtractPorts } from "../plan/ports.ts";
import type { PortRange, Protocol } from "../plan/types.ts";
import { asCidr, meet, type NewConnections } from "./new-connections.ts";
import type { RuleOption } from "./rule-options.ts";

/** Where a rule stands. */
export interface Place {
  readonly direction: "Inbound" | "Outbound";
  /** Behind table nat's rewriting of destinations. */
  readonly behindDnat: boolean;
  /** Addresses that are not the node's own are judged too. */
  readonly vips: boolean;
  /** What a packet may have met before it comes here. */
  readonly traces: Traces;
}

/** Marks that rules ahead may set and the connections on which they do, and those taken out of conntrack. */
export interface Traces {
  readonly marks: readonly { readonly bits: number; readonly on: NewConnections }[];
  readonly untracked: readonly NewConnections[];
}

export interface Narrowed {
  /** Together they are what may match; none: nothing does. */
  readonly connections: readonly NewConnections[];
  /** Whatever comes this far matches. */
  readonly certain: boolean;
}

const NONE: Narrowed = { connections: [], certain: false };
/** Matches that only lend their options. */
const PLAIN_MODULES = new Set("tcp udp sctp multiport conntrack state comment mark set addrtype".split(" "));
const PROTOCOL_NAMES: Readonly<Record<string, Protocol>> = {
  tcp: "TCP",
  udp: "UDP",
  sctp: "SCTP",
  "6": "TCP",
  "17": "UDP",
  "132": "SCTP",
};

/** Which of the connections `from` a match may let through: too many rather than too few. */
export function narrow(from: NewConnections, option: RuleOption, place: Place): Narrowed {
  const { name, negated, values, module } = option;
  const [value = ""] = values;
  const open: Narrowed = { connections: [from], certain: false };
  const always: Narrowed = { connections: [from], certain: true };
  const ifNot = (matches: boolean): Narrowed => (matches === negated ? NONE : always);
  switch (name) {
    case "-m":
      return PLAIN_MODULES.has(value) ? always : open;
    case "--comment":
      return always;
    case "-p": {
      const named = PROTOCOL_NAMES[value];
      const protocols = from.protocols.filter((protocol) => (protocol === named) !== negated);
      return some({ ...from, protocols }, protocols.length, protocols.length === from.protocols.length);
    }
    case "--dport":
    case "--dports":
      return narrowPorts(from, "ports", value, negated);
    case "--sport":
    case "--sports":
      return narrowPorts(from, "sourcePorts", value, negated);
    case "-s":
      return negated ? open : narrowAddresses(from, "source", value);
    case "-d":
      return negated ? open : narrowAddresses(from, "destination", value);
    case "-i":
    case "-o": {
      // Loopback is never judged.
      if ((name === "-i") !== (place.direction === "Inbound")) return ifNot(false);
      if (value === "lo") return ifNot(false);
      if (negated) return open;
      return narrowInterface(from, value);
    }
    case "--ctstate":
    case "--state":
      return narrowState(from, value.split(","), negated, place);
    case "--ctdir":
      return ifNot(value === "ORIGINAL");
    case "--ctstatus":
      return value.includes("NONE") ? open : ifNot(false);
    case "--tcp-flags":
      return narrowFlags(from, option);
    case "--mark":
      return module === "mark" ? narrowMark(from, value, negated, place.traces) : open;
    case "--match-set": {
      const peer = place.direction === "Inbound" ? "src" : "dst";
      return negated ? open : { connections: [{ ...from, inSet: from.inSet || values[1] === peer }], certain: false };
    }
    case "--dst-type":
      if (value !== "LOCAL") return open;
      if (place.direction === "Outbound") return ifNot(false);
      if (place.vips || !negated) return open;
      // What is broadcast and multicast is judged too.
      return narrow(from, { name: "-p", negated: false, values: ["udp"], module: "" }, place);
    case "--src-type":
      return value === "LOCAL" && place.direction === "Outbound" ? ifNot(true) : open;
    default:
      return open;
  }
}

function some(connections: NewConnections, count: number, certain = false): Narrowed {
  return count === 0 ? NONE : { connections: [connections], certain };
}

function narrowPorts(from: NewConnections, side: "ports" | "sourcePorts", value: string, negated: boolean): Narrowed {
  const named = value.split(",").map((item): PortRange => {
    const [first, last = first] = item.split(":").map(Number);
    return { from: first ?? 0, to: last ?? 0 };
  });
  // A name instead of a number, as no iptables-save prints it.
  if (named.some(({ to }) => Number.isNaN(to))) return { connections: [from], certain: false };
  const rest = subtractPorts(from[side], named);
  const ports = negated ? rest : subtractPorts(from[side], rest);
  return some({ ...from, [side]: ports }, ports.length, subtractPorts(from[side], ports).length === 0);
}

function narrowAddresses(from: NewConnections, side: "source" | "destination", value: string): Narrowed {
  const before = from[side];
  try {
    const named = normaliseCidrs([asCidr(value)]);
    const both = before === undefined ? named : subtractCidrs(before, subtractCidrs(before, named));
    return some({ ...from, [side]: both }, both.length);
  } catch {
    // A mask with holes, printed in full: it may match anything.
    return { connections: [from], certain: false };
  }
}

function narrowInterface(from: NewConnections, pattern: string): Narrowed {
  const before = from.interface;
  if (before === undefined || coversInterface(before, pattern)) return some({ ...from, interface: pattern }, 1);
  return coversInterface(pattern, before) ? some(from, 1, true) : NONE;
}

/** What a first packet can be: NEW, or what was taken out of conntrack; behind nat also DNATed. */
function narrowState(
  from: NewConnections,
  states: readonly string[],
  negated: boolean,
  { behindDnat, traces }: Place,
): Narrowed {
  const isNew = states.includes("NEW") !== negated;
  const dnat = behindDnat && states.includes("DNAT");
  const certain = isNew && !dnat && (negated ? !states.includes("UNTRACKED") : traces.untracked.length === 0);
  if (isNew || dnat) return { connections: [from], certain };
  if (states.includes("UNTRACKED") === negated) return NONE;
  return { connections: traces.untracked.flatMap((on) => meet(from, on) ?? []), certain: false };
}

/** A first TCP packet has SYN, and neither ACK, RST nor FIN; of the other flags nothing is known. */
function narrowFlags(from: NewConnections, { negated, values: [mask = "", set = ""] }: RuleOption): Narrowed {
  const flags = mask === "ALL" ? ["FIN", "SYN", "RST", "PSH", "ACK", "URG"] : mask.split(",");
  const asked = set.split(",");
  const possible = flags.every((flag) => /PSH|URG/.test(flag) || asked.includes(flag) === (flag === "SYN"));
  const certain = possible && !flags.some((flag) => /PSH|URG/.test(flag));
  if (negated) return certain ? NONE : { connections: [from], certain: !possible };
  return possible ? { connections: [from], certain } : NONE;
}

/** A packet comes without a mark: bits that no rule ahead sets are not there. */
function narrowMark(from: NewConnections, text: string, negated: boolean, { marks }: Traces): Narrowed {
  const [value = 0, mask = 0xffffffff] = text.split("/").map(Number);
  const open = { connections: [from], certain: false };
  const settable = marks.reduce((bits, mark) => bits | mark.bits, 0);
  if ((value & mask & ~settable) !== 0) return negated ? { ...open, certain: true } : NONE;
  const asked = value & mask;
  if (asked === 0) {
    const clear = (settable & mask) === 0;
    return clear && negated ? NONE : { ...open, certain: clear };
  }
  if (negated) return open;
  // One bit of those asked for narrows it enough.
  const bit = asked & -asked;
  const on = marks.filter((mark) => (mark.bits & bit) !== 0).flatMap((mark) => meet(from, mark.on) ?? []);
  return { connections: on, certain: false };
}
