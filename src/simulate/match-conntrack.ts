import { blockContains } from "./address-block.ts";
import { UnknownFormError } from "./errors.ts";
import type { PacketAtHook } from "./packet.ts";
import type { RuleOption } from "./rule-words.ts";

const STATES = new Set(["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "DNAT"]);
const DIRECTIONS = new Set(["ORIGINAL", "REPLY"]);

/**
 * `-m conntrack` with all its options, as conntrack_mt() of xt_conntrack.c decides. A packet without an entry (INVALID,
 * UNTRACKED) matches by its state alone: where the rule names a state the other options are not looked at, and where it
 * names none, nothing matches.
 */
export function conntrackMatch(options: readonly RuleOption[], text: string): (packet: PacketAtHook) => boolean {
  const byName = new Map(options.map((option) => [option.name, option]));
  if (byName.size !== options.length) throw new UnknownFormError("a conntrack option that stands twice", text);
  const tests = options.map(({ name, values, negated }) => {
    const [value = ""] = values;
    const test = conntrackTest(name, value, text);
    return { name, holds: (packet: PacketAtHook) => test(packet) !== negated };
  });
  return (packet) => {
    const { state = "NEW" } = packet;
    if (state !== "INVALID" && state !== "UNTRACKED") return tests.every(({ holds }) => holds(packet));
    return tests.some(({ name, holds }) => name === "--ctstate" && holds(packet));
  };
}

function conntrackTest(name: string, value: string, text: string): (packet: PacketAtHook) => boolean {
  switch (name) {
    case "--ctstate": {
      const states = value.split(",");
      const unknown = states.find((state) => !STATES.has(state));
      if (unknown !== undefined) throw new UnknownFormError(`connection state ${unknown}`, text);
      return ({ state = "NEW", translated }) => states.includes(state) || (translated && states.includes("DNAT"));
    }
    case "--ctdir":
      if (!DIRECTIONS.has(value)) throw new UnknownFormError(`direction ${value}`, text);
      return ({ direction = "ORIGINAL" }) => direction === value;
    case "--ctstatus":
      // Only the first packet of a flow is seen before its entry is confirmed.
      if (value !== "CONFIRMED") throw new UnknownFormError(`connection status ${value}`, text);
      return ({ state = "NEW" }) => state === "ESTABLISHED";
    case "--ctorigdst":
      return ({ originalDestination }) => blockContains(value, originalDestination);
    default:
      throw new UnknownFormError(name, text);
  }
}
