import { coversInterface } from "../plan/interfaces.ts";
import type { NodeLimit, NodePlan } from "../plan/node-plan.ts";
import { blockContains } from "../simulate/address-block.ts";
import type { ArrivingPacket, Packet } from "../simulate/packet.ts";
import type { RuleReference } from "../simulate/simulate.ts";
import { type Decision, trustedRole } from "./decision.ts";

/** A limit that has the packet's port, protocol and interface, but does not count it. */
export interface PassedOverLimit {
  readonly policy: string;
  readonly entry: string;
  readonly because: "Exempt" | "TrustedCluster" | "Failsafe" | "Loopback";
  readonly words: string;
}

/** What the limit allows, in words. */
export function limitWords({ policy, entry, hash }: RuleReference, plan: NodePlan): string {
  const limit = plan.rateLimits.find((one) => one.hash === hash);
  const owner = `policy ${policy}, limit "${entry}"`;
  if (limit === undefined) return owner;
  if ("maxConcurrent" in limit) {
    return `${owner}: more than ${limit.maxConcurrent} connections at a time ${whoseWords(limit)} are dropped (maxConcurrent)`;
  }
  const { limit: count, per, burst } = limit.newConnections;
  const rate = `more than ${count} new connections a ${per.toLowerCase()} (after a first ${burst})`;
  return `${owner}: ${rate} ${whoseWords(limit)} are dropped (newConnections)`;
}

function whoseWords({ prefixLength: { ipv4, ipv6 } }: NodeLimit): string {
  return ipv4 === 0 && ipv6 === 0 ? "in total" : `of one source (/${ipv4}, /${ipv6})`;
}

/** The limits that would count a packet that passed, were it not for who sent it. */
export function passedOverLimits(
  packet: Packet,
  decision: Decision,
  counting: readonly RuleReference[],
  plan: NodePlan,
): PassedOverLimit[] {
  if ("out" in packet || decision.kind === "NotOpened") return [];
  const meant = plan.rateLimits.filter((limit) => speaksOf(limit, packet));
  return meant
    .filter(({ hash }) => counting.every((limit) => limit.hash !== hash))
    .map((limit): PassedOverLimit => {
      const [because, why] = reason(limit, packet, decision, plan);
      const words = `policy ${limit.policy}, limit "${limit.name}" does not count it: ${why}`;
      return { policy: limit.policy, entry: limit.name, because, words };
    });
}

function reason(
  { exempt }: NodeLimit,
  packet: ArrivingPacket,
  { kind }: Decision,
  plan: NodePlan,
): readonly [PassedOverLimit["because"], string] {
  if (kind === "Loopback") return ["Loopback", "loopback is never limited"];
  if (kind === "Failsafe") return ["Failsafe", "failsafes pass before any limit"];
  const exempted = plan.sets.find(({ name }) => name === exempt.sets[packet.family]);
  if (exempted?.entries.some((block) => blockContains(block, packet.source))) return ["Exempt", "its source is exempt"];
  const role = trustedRole(packet, plan) === "pods" ? "pods" : "nodes";
  return ["TrustedCluster", `${role} of the trusted cluster are exempt`];
}

function speaksOf({ ports, protocols, interfaces }: NodeLimit, packet: ArrivingPacket): boolean {
  const matches = (pattern: string) => coversInterface(pattern, packet.in);
  const { include, exclude } = interfaces;
  return (
    protocols.some((one) => one.toLowerCase() === packet.protocol) &&
    ports.some(({ from, to }) => from <= packet.destinationPort && packet.destinationPort <= to) &&
    (include.length === 0 || include.some(matches)) &&
    !exclude.some(matches)
  );
}
