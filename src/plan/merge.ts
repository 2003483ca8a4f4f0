/** The policies of a node and the addresses of the moment -> what the node shall enforce. Agent, controller and simulator share it. */
import { type ClusterAddresses, clusterAddresses } from "./cluster-addresses.ts";
import { contentHash } from "./content-hash.ts";
import { defaultWarnings, rejectWarnings, withoutReject } from "./default-actions.ts";
import { dropLogs } from "./drop-logs.ts";
import { failsafeWarnings } from "./failsafe-warnings.ts";
import { normaliseInterfacePatterns } from "./interfaces.ts";
import { mergeScalars, observedPortScalars } from "./merge-scalars.ts";
import type {
  Failsafe,
  NodeDirection,
  NodeEntry,
  NodeFailsafe,
  NodeLimit,
  NodePlan,
  PlanWarning,
} from "./node-plan.ts";
import type { NodeSettings } from "./node-settings.ts";
import { ofObserving, splitByMode } from "./observed-plan.ts";
import { type PeerResolver, type PeerUse, peerResolver } from "./peer-resolver.ts";
import { portWarnings } from "./port-warnings.ts";
import { byPrecedence } from "./precedence.ts";
import { byName, compareText } from "./text-order.ts";
import type { AssignedPolicy, GroupAddresses, PlanDirection, PlanEntry, PlanLimit } from "./types.ts";

type Traffic = Omit<NodePlan, "ephemeralPorts" | "sysctls" | "persist" | "conflicts" | "markBit">;

const NO_TRAFFIC: Traffic = {
  inbound: [],
  outbound: [],
  rateLimits: [],
  trust: { nodes: { sets: {} }, pods: { sets: {} }, services: { sets: {} }, podInterfaces: [], podsOnUplink: false },
  failsafes: { inbound: [], outbound: [] },
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
  const scalars = mergeScalars(policies);
  const traffic = mergeTraffic(policies, groups, settings);
  const observedPorts = traffic.observed === undefined ? [] : portWarnings(policies, observedPortScalars(policies));
  const warnings = [
    ...traffic.warnings,
    ...portWarnings(policies, scalars.ephemeralPorts),
    ...ofObserving(traffic.observed, observedPorts),
  ];
  return { ...scalars, ...traffic, warnings, markBit: settings.markBit };
}

function mergeTraffic(
  policies: readonly AssignedPolicy[],
  groups: readonly GroupAddresses[],
  { failsafes, podInterfaces, podsOnUplink, rejectObstacle }: NodeSettings,
): Traffic {
  const resolver = peerResolver(groups);
  const directions = (direction: "inbound" | "outbound") =>
    policies.flatMap(({ name, plan: { [direction]: judged } }) =>
      judged === undefined ? [] : [nodeDirection(name, judged, resolver)],
    );
  const limits = policies.flatMap(({ name, plan }) =>
    plan.rateLimits.toSorted(byName).map((limit) => nodeLimit(name, limit, resolver)),
  );
  const all = { inbound: directions("inbound"), outbound: directions("outbound"), rateLimits: limits };
  const { enforced, observed } = splitByMode(policies, all);
  const observing = observed === undefined ? {} : { observed };
  if (all.inbound.length + all.outbound.length + limits.length === 0) return { ...NO_TRAFFIC, ...observing };
  const { inbound: judgedInbound, outbound, rateLimits } = enforced;
  const inbound = rejectObstacle === undefined ? judgedInbound : judgedInbound.map(withoutReject);
  const cluster = clusterAddresses(groups);
  return {
    inbound,
    outbound,
    rateLimits,
    trust: {
      nodes: resolver.define("nodes", cluster.nodes),
      pods: resolver.define("pods", cluster.pods),
      services: resolver.define("services", cluster.services),
      podInterfaces: normaliseInterfacePatterns(podInterfaces),
      podsOnUplink,
    },
    failsafes: { inbound: ofNode(failsafes.inbound, resolver), outbound: ofNode(failsafes.outbound, resolver) },
    vips: resolver.define("vips", cluster.vips),
    vipCidrs: cluster.vipCidrs,
    ...observing,
    ...dropLogs(policies),
    sets: resolver.sets(),
    warnings: [
      ...resolver.warnings(),
      ...vipWarnings(inbound, cluster),
      ...rejectWarnings(judgedInbound, rejectObstacle),
      ...failsafeWarnings("inbound", inbound, failsafes.inbound),
      ...failsafeWarnings("outbound", outbound, failsafes.outbound),
      ...defaultWarnings("inbound", inbound),
      ...defaultWarnings("outbound", outbound),
      ...ofObserving(observed, [
        ...vipWarnings(all.inbound, cluster),
        ...defaultWarnings("inbound", all.inbound),
        ...defaultWarnings("outbound", all.outbound),
      ]),
    ],
  };
}

function ofNode(failsafes: readonly Failsafe[], resolver: PeerResolver): NodeFailsafe[] {
  const inOrder = failsafes.toSorted((a, b) => byName(a, b) || compareText(a.protocol, b.protocol));
  return inOrder.map(({ peers, ...failsafe }) => ({
    ...failsafe,
    peers: typeof peers === "string" ? peers : resolver.addresses(peers),
  }));
}

function nodeDirection(policy: string, direction: PlanDirection, resolver: PeerResolver): NodeDirection {
  const { allow, deny, ...scope } = direction;
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

function vipWarnings(inbound: readonly NodeDirection[], { vipCidrsLeftOut }: ClusterAddresses): PlanWarning[] {
  if (vipCidrsLeftOut === 0) return [];
  const message =
    `${vipCidrsLeftOut} service addresses outside the service CIDRs found no room: what reaches a hostNetwork endpoint ` +
    "through them is judged on the service's port only";
  return inbound.map(({ policy }) => ({ policy, reason: "TooManyVips", message }));
}
