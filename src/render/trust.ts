import type { Family, NodeDirection, NodePlan } from "../plan/node-plan.ts";
import { type Dispatch, dispatch, type Way } from "./dispatch.ts";
import { classChain, type InterfaceClass } from "./interface-class.ts";
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

/** True where every policy of a direction trusts the cluster, so that trusted traffic needs neither judging nor limiting. */
export function trustsEverywhere(directions: readonly NodeDirection[]): boolean {
  return directions.every(({ trustCluster }) => trustCluster);
}

/** What of trusted traffic passes in this class, where some policies trust the cluster and some do not. */
function trustedScopes({ scopes }: InterfaceClass): string[] {
  const trusting = scopes.filter(({ trustCluster }) => trustCluster);
  return trusting
    .flatMap(({ protocols, ports }) => portMatches(protocols, ports))
    .map((match) => rule(match, "-j RETURN"));
}

/** Where trusted traffic goes: past everything, or, where a policy does not trust the cluster, past the scopes that do. */
export function renderTrusted(way: Way, classes: readonly InterfaceClass[], judges: readonly string[]): Dispatch {
  if (classes.every(({ scopes }) => trustsEverywhere(scopes))) return { chains: [], entry: "-j RETURN" };
  const scopes = classes.map((one, index) => ({
    name: classChain(way.trustedKind, one),
    rules: [...trustedScopes(one), judges[index] ?? "-j RETURN"],
  }));
  const entries = scopes.map(({ name }) => `-g ${name}`);
  const dispatched = dispatch(way.trustChain, way, classes, entries);
  return { chains: [...dispatched.chains, ...scopes], entry: dispatched.entry };
}
