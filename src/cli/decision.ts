import type { NodeDirection, NodeFailsafe, NodePlan } from "../plan/node-plan.ts";
import type { DefaultAction } from "../plan/types.ts";
import { blockContains } from "../simulate/address-block.ts";
import type { Packet } from "../simulate/packet.ts";
import type { RuleReference, Verdict } from "../simulate/simulate.ts";

/** The cluster's own addresses that may be trusted, as `NodeTrust` has them. */
export type TrustedRole = "nodes" | "pods" | "services";

/** What in the policies, or before them, decided about a packet. */
export type Decision =
  | { readonly kind: "Allow" | "Deny"; readonly policy: string; readonly entry: string }
  | { readonly kind: "Default"; readonly policy: string; readonly defaultAction: DefaultAction }
  | { readonly kind: "Failsafe"; readonly failsafe: NodeFailsafe }
  | { readonly kind: "TrustedCluster"; readonly role: TrustedRole | undefined }
  | { readonly kind: "Loopback" | "NotOpened" | "OutOfScope" | "NothingJudged" };

/** Reads from the rule that decided which part of the plan it stands for. */
export function decisionOf({ verdict, decidedBy }: Verdict, packet: Packet, plan: NodePlan): Decision {
  if (decidedBy === undefined) return { kind: "NothingJudged" };
  const { policy, entry, hash } = decidedBy;
  if (policy === undefined || entry === undefined) return unowned(decidedBy, packet, plan);
  const scope = scopesOf(packet, plan).find((one) => one.policy === policy);
  if (scope?.hash === hash) {
    // A node that cannot reject drops, so the verdict does not tell.
    return { kind: "Default", policy, defaultAction: scope?.defaultAction ?? "Drop" };
  }
  return { kind: verdict === "Passed" ? "Allow" : "Deny", policy, entry };
}

/** What is judged in the packet's direction. */
export function scopesOf(packet: Packet, { inbound, outbound }: NodePlan): readonly NodeDirection[] {
  return "out" in packet ? outbound : inbound;
}

/** Rules without a policy in their comment are those that come before all policies, or lead past them. */
function unowned({ chain, rule }: RuleReference, packet: Packet, plan: NodePlan): Decision {
  if (("out" in packet ? packet.out : packet.in) === "lo") return { kind: "Loopback" };
  if (/^(PREROUTING|INPUT|OUTPUT|PH-PRE|PH-INPUT)$/.test(chain) || rule.includes("-m addrtype")) {
    return { kind: "NotOpened" };
  }
  if (/^PH-(J|L|OJ|OUT-JUDGE)/.test(chain) || rule === "-j RETURN" || !rule.endsWith("RETURN"))
    return { kind: "OutOfScope" };
  const beforePolicies = (chain === "PH-IN" || chain === "PH-OUT") && rule.includes("--dports");
  const failsafe = beforePolicies ? failsafeOf(packet, plan, /--match-set (\S+)/.exec(rule)?.[1]) : undefined;
  return failsafe === undefined
    ? { kind: "TrustedCluster", role: trustedRole(packet, plan) }
    : { kind: "Failsafe", failsafe };
}

/** `set` is what the rule that decided matches the other end by; undefined: everybody. */
function failsafeOf(packet: Packet, { failsafes, trust }: NodePlan, set: string | undefined): NodeFailsafe | undefined {
  const setOf = (peers: NodeFailsafe["peers"]) => {
    const resolved = peers === "Nodes" ? trust.nodes : peers;
    return resolved === "Everybody" ? undefined : resolved.sets[packet.family];
  };
  return failsafes["out" in packet ? "outbound" : "inbound"].find(
    ({ protocol, ports, peers }) =>
      protocol.toLowerCase() === packet.protocol &&
      setOf(peers) === set &&
      ports.some(({ from, to }) => from <= packet.destinationPort && packet.destinationPort <= to),
  );
}

/** Which of the cluster's own addresses the other end has. Sources are never services. */
export function trustedRole(packet: Packet, { sets }: NodePlan): TrustedRole | undefined {
  const leaves = "out" in packet;
  const other = leaves ? packet.destination : packet.source;
  const roles: readonly TrustedRole[] = leaves ? ["nodes", "pods", "services"] : ["nodes", "pods"];
  return roles.find((role) => {
    const set = sets.find(({ name }) => name === `ph-${packet.family}-${role}`);
    return set?.entries.some((block) => blockContains(block, other));
  });
}
