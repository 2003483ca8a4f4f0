import { cutSetName, cuts } from "../plan/cut-sets.ts";
import type { Family, NodePlan } from "../plan/node-plan.ts";
import type { Protocol } from "../plan/types.ts";
import { NOT_INIT, NOT_OPENING, rule, TAG } from "./rule.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

type Direction = "Inbound" | "Outbound";

/** Which addresses and ports of a packet the elements hold: on the way of the opening, and on the way back. */
const THERE: Readonly<Record<Direction, string>> = { Inbound: "src,dst,dst", Outbound: "dst,dst,src" };
const BACK: Readonly<Record<Direction, string>> = { Inbound: "dst,src,src", Outbound: "src,src,dst" };

/** Matches what conntrack does not know, too. */
const NO_ANSWER = "-m conntrack ! --ctstate RELATED --ctdir ORIGINAL";

/** The match on packets of what was found to be cut; "" where no policy cuts. */
export function cutMatch(plan: NodePlan, direction: Direction, family: Family, negated = false): string {
  if (!cuts(plan, direction)) return "";
  return `-m set ${negated ? "! " : ""}--match-set ${cutSetName(direction, family)} ${THERE[direction]}`;
}

/**
 * Sends further packets of what is cut to the judgement of openings, so that a set that is wrong cuts nothing: the rules
 * decide, by the interface too. Answers of what the node opened itself are left alone, as connect(2) takes no port
 * that is bound.
 *
 * Inbound TCP and SCTP by the set alone: conntrack may take either end for the one that opened, or know nothing of it any more.
 * Outbound not what conntrack takes for an answer: the other end may come in from the very port that is cut. A reset
 * passes, as it ends what shall end. UDP in the direction of its first packet; without an entry it is judged anyway.
 */
export function cutHooks(plan: NodePlan, direction: Direction, family: Family, chain: string): string[] {
  const match = cutMatch(plan, direction, family);
  if (match === "") return [];
  const target = `${match} -m comment --comment ${TAG} -j ${chain}`;
  const scopes = direction === "Inbound" ? plan.inbound : plan.outbound;
  const matches: Readonly<Record<Protocol, string>> = {
    TCP: rule(NOT_OPENING, direction === "Outbound" ? NO_ANSWER : ""),
    UDP: "-p udp -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL",
    SCTP: rule(NOT_INIT, direction === "Outbound" ? NO_ANSWER : ""),
  };
  const protocols = PROTOCOLS.filter((one) => scopes.some((scope) => scope.protocols.includes(one)));
  return protocols.map((protocol) => `${matches[protocol]} ${target}`);
}

/**
 * Stands in the hook of the other direction. UDP needs no answers to go on, so what goes the way back is dropped too;
 * TCP ends for want of acknowledgements.
 */
export function cutAnswers(plan: NodePlan, direction: Direction, family: Family): string[] {
  if (!cuts(plan, direction)) return [];
  const match = `-m set --match-set ${cutSetName(direction, family)} ${BACK[direction]}`;
  return [`-p udp -m conntrack --ctstate ESTABLISHED --ctdir REPLY ${match} -m comment --comment ${TAG} -j DROP`];
}
