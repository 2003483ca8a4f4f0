import type { Family, NodeDirection, NodePlan, ResolvedPeers } from "../plan/node-plan.ts";
import type { JudgedScope, JudgedTraffic } from "./types.ts";

/** What a connection must go by to be judged or limited inbound. Pods' sources are trusted by interface only, so they are left out. */
export function judgedInbound(plan: NodePlan, family: Family): JudgedTraffic {
  // Trusted traffic is exempt from every limit.
  const limits = plan.rateLimits.map(({ policy, protocols, ports, interfaces }) => ({
    policy,
    protocols,
    ports,
    interfaces,
    trustsCluster: true,
  }));
  return {
    scopes: [...plan.inbound.map(scopeOf), ...limits],
    failsafes: plan.failsafes.inbound,
    trusted: setNames([plan.trust.nodes], family),
    pods: setNames([plan.trust.pods], family),
    vips: setNames([plan.vips], family).length > 0,
  };
}

export function judgedOutbound(plan: NodePlan, family: Family): JudgedTraffic {
  const { nodes, pods, services } = plan.trust;
  return {
    scopes: plan.outbound.map(scopeOf),
    failsafes: plan.failsafes.outbound,
    trusted: setNames([nodes, pods, services], family),
    pods: setNames([pods], family),
    vips: false,
  };
}

function scopeOf({ policy, protocols, ports, interfaces, trustCluster }: NodeDirection): JudgedScope {
  return { policy, protocols, ports, interfaces, trustsCluster: trustCluster };
}

function setNames(peers: readonly ResolvedPeers[], family: Family): string[] {
  return peers.flatMap((one) => (one === "Everybody" ? [] : (one.sets[family] ?? [])));
}
