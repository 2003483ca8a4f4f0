import type { NodePlan } from "../plan/node-plan.ts";
import type { RuleSet } from "../render/types.ts";
import { blockContains } from "../simulate/address-block.ts";
import type { Packet } from "../simulate/packet.ts";
import { type ObservedReference, type RuleReference, simulate } from "../simulate/simulate.ts";
import { type Decision, decisionOf } from "./decision.ts";
import { limitWords, type PassedOverLimit, passedOverLimits } from "./limit-words.ts";
import { observedWords } from "./observed-words.ts";
import type { AskedPacket } from "./packet-text.ts";
import { decisionWords } from "./verdict-words.ts";

/** What becomes of a packet, for people and for machines: `--json` prints it, with null for what is not there. */
export interface Explanation {
  readonly packet: AskedPacket;
  readonly direction: "Inbound" | "Outbound";
  readonly verdict: "Passed" | "Dropped" | "Rejected" | "MayBeLimited";
  /** Who decided, and why. */
  readonly reason: string;
  readonly decidedBy: DecidedBy;
  readonly mayBeLimitedBy: readonly (RuleReference & { readonly words: string })[];
  readonly notLimitedBy: readonly PassedOverLimit[];
  /** What policies that only observe would change about it. */
  readonly observed: readonly (ObservedReference & { readonly words: string })[];
  readonly notes: readonly string[];
}

/** Each member is there always, so that a script need not know what kinds there are. */
export interface DecidedBy {
  readonly kind: Decision["kind"];
  readonly policy: string | undefined;
  /** Of an allow or deny: its name. */
  readonly entry: string | undefined;
  readonly failsafe: string | undefined;
  readonly trusted: string | undefined;
  readonly defaultAction: string | undefined;
  readonly chain: string | undefined;
  readonly rule: string | undefined;
}

/** Follows a new connection's first packet through the rendered rules, and says in words what the plan has to do with it. */
export function explain(asked: AskedPacket, plan: NodePlan, ruleSet: RuleSet): Explanation {
  const packet = packetOf(asked, plan);
  const simulated = simulate(ruleSet, packet);
  const { verdict, decidedBy, mayBeLimitedBy, observed } = simulated;
  const decision = decisionOf(simulated, packet, plan);
  const limits = mayBeLimitedBy.map((limit) => ({ ...limit, words: limitWords(limit, plan) }));
  return {
    packet: asked,
    direction: "out" in packet ? "Outbound" : "Inbound",
    verdict: verdict === "Passed" && limits.length > 0 ? "MayBeLimited" : verdict,
    reason: decisionWords(decision, packet, plan),
    decidedBy: { ...membersOf(decision), chain: decidedBy?.chain, rule: decidedBy?.rule },
    mayBeLimitedBy: limits,
    notLimitedBy: verdict === "Passed" ? passedOverLimits(packet, decision, mayBeLimitedBy, plan) : [],
    observed: observed.map((one) => ({ ...one, words: observedWords(one, plan) })),
    notes: notesOn(asked, packet, plan, verdict),
  };
}

/** The explanation as lines of text. */
export function explanationText(explanation: Explanation): string {
  const { verdict, reason, decidedBy, mayBeLimitedBy, notLimitedBy, observed, notes } = explanation;
  const heads = {
    Passed: "passed",
    Dropped: "dropped",
    Rejected: "rejected",
    MayBeLimited: "passed, but may be limited",
  } as const;
  const lines = [
    `${heads[verdict]}: ${reason}`,
    ...mayBeLimitedBy.map(({ words }) => `limit: ${words}`),
    ...notLimitedBy.map(({ words }) => `no limit: ${words}`),
    ...observed.map(({ words }) => `observed: ${words}`),
    ...(decidedBy.rule === undefined ? [] : [`rule: ${decidedBy.chain}: ${decidedBy.rule}`]),
    ...mayBeLimitedBy.map(({ chain, rule }) => `limit's rule: ${chain}: ${rule}`),
    ...notes.map((note) => `note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The explanation as JSON of one shape, whatever was decided. */
export function explanationJson(explanation: Explanation): string {
  return `${JSON.stringify(explanation, (_key, value: unknown) => value ?? null, 2)}\n`;
}

function membersOf(decision: Decision): Omit<DecidedBy, "chain" | "rule"> {
  return {
    kind: decision.kind,
    policy: "policy" in decision ? decision.policy : undefined,
    entry: "entry" in decision ? decision.entry : undefined,
    failsafe: "failsafe" in decision ? decision.failsafe.name : undefined,
    trusted: "role" in decision ? decision.role : undefined,
    defaultAction: "defaultAction" in decision ? decision.defaultAction : undefined,
  };
}

/** An address that no set of service addresses holds is taken inbound for the node's own, outbound for another host's. */
function packetOf(asked: AskedPacket, plan: NodePlan): Packet {
  const any = asked.family === 4 ? "0.0.0.0" : "::";
  const destination = asked.destination ?? any;
  const plain = isService(destination, asked, plan) || "out" in asked ? "UNICAST" : "LOCAL";
  const common = { ...asked, source: asked.source ?? any, destination };
  const destinationType = typeOf(destination) ?? plain;
  return "out" in asked ? { ...common, out: asked.out, destinationType } : { ...common, in: asked.in, destinationType };
}

function isService(address: string, { family }: AskedPacket, { sets }: NodePlan): boolean {
  const ofServices = sets.filter(({ name }) => name === `ph-${family}-vips` || name === `ph-${family}-services`);
  return ofServices.some(({ entries }) => entries.some((block) => blockContains(block, address)));
}

function typeOf(address: string): "BROADCAST" | "MULTICAST" | undefined {
  if (address === "255.255.255.255") return "BROADCAST";
  const multicast = address.includes(":") ? /^ff/i.test(address) : /^(22[4-9]|23\d)\./.test(address);
  return multicast ? "MULTICAST" : undefined;
}

function notesOn(asked: AskedPacket, packet: Packet, plan: NodePlan, verdict: string): string[] {
  const { destination } = asked;
  const service = destination !== undefined && isService(destination, asked, plan);
  if ("out" in packet) {
    const taken = `${destination} is taken for another host's address: what the node sends to itself always passes`;
    const leads = `${destination} is a service address: what the node sends there is judged by the endpoint behind it, so ask with that`;
    return [service ? leads : taken];
  }
  return [
    ...(destination !== undefined && packet.destinationType === "LOCAL"
      ? [`${destination} is taken for an address of the node itself`]
      : []),
    ...(service
      ? [`${destination} is a service address: where it leads to a port of the node itself, that port is judged too`]
      : []),
    ...(verdict === "Rejected" ? ["where the node has no nft it is dropped instead (RejectUnavailable)"] : []),
  ];
}
