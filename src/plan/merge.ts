/** The policies of a node and the addresses of the moment -> what the node shall enforce. Agent, controller and simulator share it. */
import { type ClusterAddresses, clusterAddresses } from "./cluster-addresses.ts";
import { contentHash } from "./content-hash.ts";
import { normaliseInterfacePatterns } from "./interfaces.ts";
import { mergeScalars } from "./merge-scalars.ts";
import type { NodeSettings } from "./node-settings.ts";
import { type PeerResolver, type PeerUse, peerResolver } from "./peer-resolver.ts";
import { byPrecedence } from "./precedence.ts";
import { byName, compareText } from "./text-order.ts";
import type {
  AssignedPolicy,
  GroupAddresses,
  NodeEntry,
  NodeInbound,
  NodeLimit,
  NodePlan,
  PlanEntry,
  PlanInbound,
  PlanLimit,
  PlanWarning,
} from "./types.ts";

type Traffic = Omit<NodePlan, "ephemeralPorts" | "sysctls" | "persist" | "conflicts">;

const NO_TRAFFIC: Traffic = {
  inbound: [],
  rateLimits: [],
  trust: { nodes: { sets: {} }, pods: { sets: {} }, podInterfaces: [], podsOnUplink: false },
  failsafes: [],
  vips: { sets: {} },
  vipCidrs: [],
  sets: [],
  warnings: [],
};

/**
 * Pure, and independent of the order of its inputs. Where no policy judges or limits traffic there is no set, failsafe
 * or trust either: such a plan changes with no group and leaves the packet path alone. Throws RangeError where an
 * address is no CIDR.
 */
export function merge(
  assigned: readonly AssignedPolicy[],
  groups: readonly GroupAddresses[],
  settings: NodeSettings,
): NodePlan {
  const policies = assigned.toSorted(byPrecedence);
  return { ...mergeScalars(policies), ...mergeTraffic(policies, groups, settings) };
}

function mergeTraffic(
  policies: readonly AssignedPolicy[],
  groups: readonly GroupAddresses[],
  { failsafes, podInterfaces, podsOnUplink }: NodeSettings,
): Traffic {
  const resolver = peerResolver(groups);
  const inbound = policies.flatMap(({ name, plan }) =>
    plan.inbound === undefined ? [] : [nodeInbound(name, plan.inbound, resolver)],
  );
  const rateLimits = policies.flatMap(({ name, plan }) =>
    plan.rateLimits.toSorted(byName).map((limit) => nodeLimit(name, limit, resolver)),
  );
  if (inbound.length + rateLimits.length === 0) return NO_TRAFFIC;
  const cluster = clusterAddresses(groups);
  return {
    inbound,
    rateLimits,
    trust: {
      nodes: resolver.define("nodes", cluster.nodes),
      pods: resolver.define("pods", cluster.pods),
      podInterfaces: normaliseInterfacePatterns(podInterfaces),
      podsOnUplink,
    },
    failsafes: failsafes.toSorted((a, b) => byName(a, b) || compareText(a.protocol, b.protocol)),
    vips: resolver.define("vips", cluster.vips),
    vipCidrs: cluster.vipCidrs,
    sets: resolver.sets(),
    warnings: [...resolver.warnings(), ...vipWarnings(inbound, cluster)],
  };
}

function nodeInbound(policy: string, inbound: PlanInbound, resolver: PeerResolver): NodeInbound {
  const { allow, deny, ...scope } = inbound;
  const entries = (list: PeerUse["list"], all: readonly PlanEntry[]) =>
    all.toSorted(byName).map((entry) => nodeEntry(entry, { policy, list }, resolver));
  return {
    ...scope,
    policy,
    allow: entries("allow", allow),
    deny: entries("deny", deny),
    hash: contentHash(scope, 8),
  };
}

function nodeEntry({ name, ...entry }: PlanEntry, use: PeerUse, resolver: PeerResolver): NodeEntry {
  const compiled = { ...entry, peers: resolver.resolve(entry.peers, use) };
  return { name, ...compiled, hash: contentHash({ list: use.list, ...compiled }, 8) };
}

/** The hash names what counts, so it takes in the owner: equal limits of two policies must not share a budget. */
function nodeLimit(policy: string, limit: PlanLimit, resolver: PeerResolver): NodeLimit {
  const exempt = resolver.resolveList(limit.exempt, { policy, list: "allow" });
  return { ...limit, policy, exempt, hash: contentHash({ policy, limit }, 8) };
}

function vipWarnings(inbound: readonly NodeInbound[], { vipCidrsLeftOut }: ClusterAddresses): PlanWarning[] {
  if (vipCidrsLeftOut === 0) return [];
  const message =
    `${vipCidrsLeftOut} service addresses outside the service CIDRs found no room: what reaches a hostNetwork endpoint ` +
    "through them is judged on the service's port only";
  return inbound.map(({ policy }) => ({ policy, reason: "TooManyVips", message }));
}
