import { narrow, type Place } from "./narrow-connections.ts";
import { ALL_CONNECTIONS, type NewConnections } from "./new-connections.ts";
import { isOurChain } from "./ownership.ts";
import { type ForeignRule, readRule } from "./rule-options.ts";
import type { SavedChains } from "./saved-rules.ts";

/** A rule that new connections may come to, and what it does with them. */
export interface RuleVisit {
  /** The rule at the start of the walk that leads here. */
  readonly from: string;
  readonly chain: string;
  readonly rule: string;
  readonly connections: readonly NewConnections[];
  /** Accepted: the packet leaves the chains without being dropped. An unknown target may do anything. */
  readonly fate: "Accepted" | "Goes on";
  /** Bits that it sets. */
  readonly marks: number;
  readonly untracked: boolean;
}

/** Targets behind which the next rule follows (iptables-extensions(8)). */
const GOES_ON = new Set(
  (
    "MARK CONNMARK LOG NFLOG ULOG TRACE CT NOTRACK CLASSIFY DSCP TOS TTL HL TCPMSS TCPOPTSTRIP ECN SET CHECKSUM AUDIT " +
    "SECMARK CONNSECMARK IDLETIMER LED HMARK RATEEST TEE"
  ).split(" "),
);
const ENDS = new Set(["DROP", "REJECT", "RETURN", "TARPIT"]);
/** A firewall with hundreds of pods has thousands; what has more is not followed to its end. */
const VISITS_MAX = 20_000;
/** More than so many alternatives are taken for all connections. */
const ALTERNATIVES_MAX = 1_000;

/**
 * Follows every new connection through `rules` of a chain, and the chains that they lead to. Rules that match for certain
 * and end the journey hide what is behind them; all others may match or not. `visit` says true to stop.
 */
export function followRules(
  chains: SavedChains,
  chain: string,
  rules: readonly string[],
  place: Place,
  visit: (visit: RuleVisit) => boolean,
): void {
  let visits = 0;
  const walk = (name: string, of: readonly string[], coming: readonly NewConnections[], from?: string): boolean => {
    for (const text of of) {
      const rule = readRule(text);
      const { target } = rule;
      const { connections, certain } = matching(coming, rule, place);
      if (connections.length === 0) continue;
      visits += 1;
      const start = from ?? text;
      const called = target === undefined ? undefined : chains.get(target);
      if (called !== undefined && target !== undefined && visits <= VISITS_MAX) {
        if (!isOurChain(target) && walk(target, called, connections, start)) return true;
        if (rule.goto && certain) return false;
        continue;
      }
      const known = target === undefined || GOES_ON.has(target) || ENDS.has(target);
      const fate = known && visits <= VISITS_MAX ? "Goes on" : "Accepted";
      const seen = { from: start, chain: name, rule: text, connections, fate, ...tracesOf(rule) } as const;
      if (visit(seen)) return true;
      if (certain && target !== undefined && !GOES_ON.has(target)) return false;
    }
    return false;
  };
  walk(chain, rules, [ALL_CONNECTIONS]);
}

function matching(coming: readonly NewConnections[], { options }: ForeignRule, place: Place) {
  let connections = coming;
  let certain = true;
  for (const option of options) {
    const narrowed = connections.map((one) => narrow(one, option, place));
    certain &&= narrowed.every((one) => one.certain);
    const next = narrowed.flatMap((one) => one.connections);
    connections = next.length > ALTERNATIVES_MAX ? connections : next;
  }
  return { connections, certain };
}

function tracesOf({ target, targetOptions }: ForeignRule): Pick<RuleVisit, "marks" | "untracked"> {
  const value = (name: string) => targetOptions.find((option) => option.name === name)?.values[0];
  const [bits] = (target === "MARK" ? (value("--set-xmark") ?? "0") : "0").split("/");
  const untracked = target === "NOTRACK" || targetOptions.some(({ name }) => name === "--notrack");
  return { marks: Number(bits), untracked };
}
