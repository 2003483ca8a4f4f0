import type { Family, NodePlan } from "../plan/types.ts";
import type { InterfaceClass } from "./interface-class.ts";
import { peerMatch, portMatches, rule } from "./rule.ts";
import type { Chain } from "./types.ts";

interface Rules {
  readonly rules: string[];
  readonly chains: Chain[];
}

/**
 * Sends trusted cluster sources to `trusted`; the others fall through. Nodes are trusted on every interface, pods only on
 * a pod interface (or on the uplink where routing is native): a pod's address on the uplink may be spoofed.
 */
export function trustRules(plan: NodePlan, family: Family, podsChain: string, trusted: string, next: string): Rules {
  const nodes = peerMatch(plan.trust.nodes, family, "src");
  const pods = peerMatch(plan.trust.pods, family, "src");
  const rules = nodes === undefined ? [] : [rule(nodes, trusted)];
  if (pods === undefined) return { rules, chains: [] };
  if (plan.trust.podsOnUplink) return { rules: [...rules, rule(pods, trusted)], chains: [] };
  const byInterface = plan.trust.podInterfaces.map((pattern) => rule(`-i ${pattern}`, trusted));
  return {
    rules: [...rules, rule(pods, `-g ${podsChain}`)],
    chains: [{ name: podsChain, rules: [...byInterface, next] }],
  };
}

/** True where every policy trusts the cluster, so that trusted traffic needs neither judging nor limiting. */
export function trustsEverywhere(plan: NodePlan): boolean {
  return plan.inbound.every(({ trustCluster }) => trustCluster);
}

/** What passes of a trusted source in this class, where some policies trust the cluster and some do not. */
export function trustedScopes({ inbound }: InterfaceClass): string[] {
  const trusting = inbound.filter(({ trustCluster }) => trustCluster);
  return trusting
    .flatMap(({ protocols, ports }) => portMatches(protocols, ports))
    .map((match) => rule(match, "-j RETURN"));
}
