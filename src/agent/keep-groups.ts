import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { referredGroups } from "../plan/group-refs.ts";
import type { AssignedPolicy, GroupAddresses, GroupRef, PlanDirection, PlanEntry } from "../plan/types.ts";

export interface KeptGroups {
  /** The groups that the policies and the trust of the cluster use. */
  readonly groups: readonly GroupAddresses[];
  /** Names of those in it that are gone or empty now, and stand with their last content. */
  readonly kept: readonly string[];
}

/**
 * What to enforce with. A group whose loss would cut traffic keeps its last content: one that an allow or an exemption
 * from a limit names, and the cluster's own addresses of a role of which nothing is left (a deleted CRD takes them all).
 */
export function keepGroups(
  policies: readonly AssignedPolicy[],
  present: readonly GroupAddresses[],
  before: readonly GroupAddresses[],
): KeptGroups {
  const filled = present.filter(({ addresses }) => addresses.length > 0);
  const filledNames = new Set(filled.map(({ name }) => name));
  const roles = new Set(filled.map(clusterRole));
  const kept = before.filter((group) => {
    if (filledNames.has(group.name) || group.addresses.length === 0) return false;
    const role = clusterRole(group);
    return role === undefined ? policies.some((policy) => opensByName(policy, group.name)) : !roles.has(role);
  });
  const keptNames = new Set(kept.map(({ name }) => name));
  const all = [...present.filter(({ name }) => !keptNames.has(name)), ...kept];
  const referred = new Set(policies.flatMap(allRefs).flatMap((ref) => referredGroups(ref, all)));
  return {
    groups: all.filter((group) => clusterRole(group) !== undefined || referred.has(group)),
    kept: [...keptNames],
  };
}

/** Whether this policy lets the group pass by name: in an allow, or past a limit. */
export function opensByName(policy: AssignedPolicy, group: string): boolean {
  return openingRefs(policy).some((ref) => "name" in ref && ref.name === group);
}

function openingRefs(policy: AssignedPolicy): readonly GroupRef[] {
  const allowed = directionsOf(policy).flatMap(({ allow }) => refsOf(allow));
  return [...allowed, ...policy.plan.rateLimits.flatMap(({ exempt }) => exempt.groups)];
}

function allRefs(policy: AssignedPolicy): readonly GroupRef[] {
  return [...openingRefs(policy), ...directionsOf(policy).flatMap(({ deny }) => refsOf(deny))];
}

function directionsOf({ plan: { inbound, outbound } }: AssignedPolicy): readonly PlanDirection[] {
  return [inbound, outbound].filter((direction) => direction !== undefined);
}

function refsOf(entries: readonly PlanEntry[]): readonly GroupRef[] {
  return entries.flatMap(({ peers }) => (peers === "Everybody" ? [] : peers.groups));
}

function clusterRole({ labels }: GroupAddresses): string | undefined {
  return labels[CLUSTER_ADDRESSES_LABEL];
}
