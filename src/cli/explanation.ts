import type { NodePlan } from "../plan/types.ts";
import type { RuleSet } from "../render/types.ts";
import { blockContains } from "../simulate/address-block.ts";
import type { ArrivingPacket } from "../simulate/packet.ts";
import { type RuleReference, simulate } from "../simulate/simulate.ts";
import type { AskedPacket } from "./packet-text.ts";
import { decisionWords, limitWords } from "./verdict-words.ts";

/** What becomes of a packet, for people and for machines. */
export interface Explanation {
  readonly packet: AskedPacket;
  readonly verdict: "Passed" | "Dropped" | "Rejected" | "MayBeLimited";
  /** Who decided, and why. */
  readonly reason: string;
  readonly decidedBy: RuleReference | undefined;
  readonly mayBeLimitedBy: readonly (RuleReference & { readonly words: string })[];
  readonly notes: readonly string[];
}

/** Follows a new connection's first packet through the rendered rules, and says in words what the plan has to do with it. */
export function explain(asked: AskedPacket, plan: NodePlan, ruleSet: RuleSet): Explanation {
  const packet = packetOf(asked, ruleSet);
  const { verdict, decidedBy, mayBeLimitedBy } = simulate(ruleSet, packet);
  const limits = mayBeLimitedBy.map((limit) => ({ ...limit, words: limitWords(limit, plan) }));
  return {
    packet: asked,
    verdict: verdict === "Passed" && limits.length > 0 ? "MayBeLimited" : verdict,
    reason: decisionWords(verdict, decidedBy, packet, plan),
    decidedBy,
    mayBeLimitedBy: limits,
    notes: notesOn(asked, packet),
  };
}

/** The explanation as lines of text. */
export function explanationText({ verdict, reason, decidedBy, mayBeLimitedBy, notes }: Explanation): string {
  const heads = {
    Passed: "passed",
    Dropped: "dropped",
    Rejected: "rejected",
    MayBeLimited: "passed, but may be limited",
  } as const;
  const lines = [
    `${heads[verdict]}: ${reason}`,
    ...mayBeLimitedBy.map(({ words }) => `limit: ${words}`),
    ...(decidedBy === undefined ? [] : [`rule: ${decidedBy.chain}: ${decidedBy.rule}`]),
    ...mayBeLimitedBy.map(({ chain, rule }) => `limit's rule: ${chain}: ${rule}`),
    ...notes.map((note) => `note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** An address that no set of service addresses holds is taken for one of the node's own. */
function packetOf({ destination, ...asked }: AskedPacket, { sets }: RuleSet): ArrivingPacket {
  const address = destination ?? (asked.family === 4 ? "0.0.0.0" : "::");
  const vips = sets.find(({ name }) => name === `ph-${asked.family}-vips`);
  const isVip = vips?.entries.some((entry) => blockContains(entry, address)) ?? false;
  return { ...asked, destination: address, destinationType: isVip ? "UNICAST" : typeOf(address) };
}

function typeOf(address: string): ArrivingPacket["destinationType"] {
  if (address === "255.255.255.255") return "BROADCAST";
  const multicast = address.includes(":") ? /^ff/i.test(address) : /^(22[4-9]|23\d)\./.test(address);
  return multicast ? "MULTICAST" : "LOCAL";
}

function notesOn({ destination }: AskedPacket, { destinationType }: ArrivingPacket): string[] {
  if (destination === undefined) return [];
  if (destinationType === "LOCAL") return [`${destination} is taken for an address of the node itself`];
  if (destinationType !== "UNICAST") return [];
  return [`${destination} is a service address: where it leads to a port of the node itself, that port is judged too`];
}
