import type { PortHardeningPolicy } from "../api/policy.ts";
import { subtractCidrs } from "../plan/cidrs.ts";
import { clusterAddresses } from "../plan/cluster-addresses.ts";
import { referredGroups } from "../plan/group-refs.ts";
import { merge } from "../plan/merge.ts";
import type { Failsafe, Failsafes } from "../plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../plan/node-settings.ts";
import { assign } from "../plan/plan-hash.ts";
import { formatPrefix } from "../plan/prefix-text.ts";
import type { GroupAddresses, Peers, Plan, PlanDirection, PlanEntry } from "../plan/types.ts";
import { type DirectionName, entryPath, sharedWords, type Warning } from "./lint-direction.ts";

const DIRECTIONS = ["inbound", "outbound"] as const;
const OF_GROUPS: readonly string[] = ["AddressGroupMissing", "DenyPrefixIgnored", "NodeAddressesMissing"];
const LISTS = ["allow", "deny"] as const;

/** What address groups make of each entry and limit: groups and nodes that are not known, groups too wide for a deny. */
export function groupWarnings(policy: PortHardeningPolicy, plan: Plan, groups: readonly GroupAddresses[]): Warning[] {
  const alone: { readonly path: string; readonly part: Partial<Plan> }[] = [
    ...DIRECTIONS.flatMap((direction) =>
      LISTS.flatMap((list) =>
        (plan[direction]?.[list] ?? []).map((entry) => ({
          path: entryPath(policy, direction, list, entry.name),
          part: { [direction]: { ...plan[direction], allow: [], deny: [], [list]: [entry] } },
        })),
      ),
    ),
    ...plan.rateLimits.map((limit) => ({
      path: `spec.rateLimits[${(policy.spec.rateLimits ?? []).findIndex(({ name }) => name === limit.name)}].exempt`,
      part: { rateLimits: [limit] },
    })),
  ];
  const { format, sysctls } = plan;
  return alone.flatMap(({ path, part }) => {
    const one = assign(policy, { format, sysctls, rateLimits: [], ...part });
    return merge([one], groups, DEFAULT_NODE_SETTINGS)
      .warnings.filter(({ reason }) => OF_GROUPS.includes(reason))
      .map(({ message }) => ({ path, message: `${message} (of the files given)` }));
  });
}

/** Denies of addresses of the trusted cluster, as far as `groups` tell them. */
export function trustWarnings(
  policy: PortHardeningPolicy,
  plan: Plan,
  groups: readonly GroupAddresses[],
  failsafes: Failsafes,
): Warning[] {
  return DIRECTIONS.flatMap((direction) => {
    const scope = plan[direction];
    return scope === undefined
      ? []
      : scope.deny.flatMap((entry) => {
          const message = sparedWords(failsafes[direction], direction, scope, entry, groups);
          return message === undefined ? [] : [{ path: entryPath(policy, direction, "deny", entry.name), message }];
        });
  });
}

function sparedWords(
  failsafes: readonly Failsafe[],
  direction: DirectionName,
  { trustCluster }: PlanDirection,
  entry: PlanEntry,
  groups: readonly GroupAddresses[],
): string | undefined {
  if (entry.peers === "Everybody") return undefined;
  const { nodes, pods, services } = clusterAddresses(groups);
  // Inbound, pods may come in where they are not trusted.
  const trusted = trustCluster && direction === "outbound" ? [...nodes, ...pods, ...services] : nodes;
  const spared = overlap(trusted.map(formatPrefix), addressesOf(entry.peers, groups));
  if (spared.length === 0) return undefined;
  const shown = someOf(spared);
  if (trustCluster) {
    const whom = direction === "outbound" ? "nodes, API endpoints, pods or services" : "nodes or API endpoints";
    return `has no effect on ${shown}: ${whom} of the cluster, which pass before any deny (trustCluster)`;
  }
  const open = failsafes.filter(({ peers }) => peers === "Nodes");
  const ports = open.flatMap((failsafe) => sharedWords(failsafe, entry) || []);
  if (ports.length === 0) return undefined;
  return `has no effect on ${shown} with ${someOf(ports)}: failsafes pass between nodes and API endpoints before any policy`;
}

function someOf(all: readonly string[]): string {
  return `${all.slice(0, 3).join(", ")}${all.length > 3 ? ` and ${all.length - 3} more` : ""}`;
}

function addressesOf(peers: Exclude<Peers, "Everybody">, groups: readonly GroupAddresses[]): string[] {
  const found = peers.groups.flatMap((ref) => referredGroups(ref, groups));
  return [...peers.cidrs, ...found.flatMap(({ addresses }) => addresses)];
}

function overlap(some: readonly string[], others: readonly string[]): string[] {
  return subtractCidrs(some, subtractCidrs(some, others));
}
