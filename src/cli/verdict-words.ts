import type { NodeDirection, NodeLimit, NodePlan } from "../plan/types.ts";
import type { ArrivingPacket } from "../simulate/packet.ts";
import type { RuleReference, Verdict } from "../simulate/simulate.ts";

/** Why a packet passes or not, in a sentence. */
export function decisionWords(
  verdict: Verdict["verdict"],
  by: RuleReference | undefined,
  packet: ArrivingPacket,
  plan: NodePlan,
): string {
  if (by === undefined) return "no policy judges or limits traffic here";
  if (by.policy === undefined) return verdict === "Passed" ? unownedWords(by, packet, plan) : `by ${by.rule}`;
  const inbound = plan.inbound.find(({ policy }) => policy === by.policy);
  if (inbound?.hash === by.hash) {
    return `policy ${by.policy} judges this port, and no allow of any policy covers it (defaultAction ${inbound?.defaultAction})`;
  }
  return `policy ${by.policy}, ${listOf(inbound, by)} "${by.entry}"`;
}

function listOf(inbound: NodeDirection | undefined, { hash }: RuleReference): string {
  return inbound?.deny.some((entry) => entry.hash === hash) ? "deny" : "allow";
}

/** Rules without a policy in their comment are those that come before all policies, or lead past them. */
function unownedWords({ chain, rule }: RuleReference, packet: ArrivingPacket, plan: NodePlan): string {
  if (packet.in === "lo") return "loopback is never judged";
  if (/^(PREROUTING|INPUT|PH-PRE|PH-INPUT)$/.test(chain)) return "it does not open a connection to the node itself";
  if (/^PH-[JL]/.test(chain) || rule === "-j RETURN" || !rule.endsWith("RETURN"))
    return "no policy has this port, protocol and interface in scope";
  const fromNodes = rule.includes("--match-set");
  const failsafe = plan.failsafes.inbound.find(
    ({ protocol, ports, peers }) =>
      protocol.toLowerCase() === packet.protocol &&
      (peers === "Nodes") === fromNodes &&
      ports.some((range) => range.from <= packet.destinationPort && packet.destinationPort <= range.to),
  );
  if (chain === "PH-IN" && rule.includes("--dports") && failsafe !== undefined) {
    const whom = fromNodes ? "nodes and API endpoints" : "everybody";
    return `failsafe "${failsafe.name}" is open to ${whom} before any policy, so that nobody is locked out`;
  }
  return "it comes from the trusted cluster (trustCluster)";
}

export function limitWords({ policy, entry, hash }: RuleReference, plan: NodePlan): string {
  const limit = plan.rateLimits.find((one) => one.hash === hash);
  const owner = `policy ${policy}, limit "${entry}"`;
  if (limit === undefined) return owner;
  if ("maxConcurrent" in limit) {
    return `${owner}: more than ${limit.maxConcurrent} connections at a time ${whoseWords(limit)} are dropped`;
  }
  const { limit: count, per, burst } = limit.newConnections;
  const rate = `more than ${count} new connections a ${per.toLowerCase()} (after a first ${burst})`;
  return `${owner}: ${rate} ${whoseWords(limit)} are dropped`;
}

function whoseWords({ prefixLength: { ipv4, ipv6 } }: NodeLimit): string {
  return ipv4 === 0 && ipv6 === 0 ? "in total" : `of one source (/${ipv4}, /${ipv6})`;
}
