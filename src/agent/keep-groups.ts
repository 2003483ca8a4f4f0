import { CLUSTER_ADDRESSES_LABEL, SELECTED_NODES } from "../api/group.ts";
import { describeGroupRef, referredGroups } from "../plan/group-refs.ts";
import type { PlanWarning } from "../plan/node-plan.ts";
import type { AssignedPolicy, GroupAddresses, GroupRef, PlanEntry } from "../plan/types.ts";

export interface KeptGroups {
  /** The groups that the policies and the trust of the cluster use. */
  readonly groups: readonly GroupAddresses[];
  /** One for each reference of a policy that stands with its last content. */
  readonly warnings: readonly PlanWarning[];
}

/** A reference, and whether it opens (in an allow, or past a limit) or closes (in a deny). */
interface Use {
  readonly policy: string;
  readonly ref: GroupRef;
  readonly opens: boolean;
}

/**
 * What to enforce with. Where nothing is left of what a reference meant, its last content stays, so that a deleted group,
 * a tool that prunes or a CRD that goes away changes no rule:
 * - what opens keeps it also where the groups are there but empty: its loss would cut traffic;
 * - what closes keeps it only where they are gone, as protection would be gone with them. Emptying a blocklist takes
 *   effect at once: it is the way to let everybody on it in again;
 * - nodes keep it where the controller publishes none; an empty publication says that no node has the labels.
 *
 * Of several groups that a selector means, one that goes is an edit of the list. The cluster's own addresses stay where
 * nothing of a role is left.
 */
export function keepGroups(
  policies: readonly AssignedPolicy[],
  present: readonly GroupAddresses[],
  before: readonly GroupAddresses[],
): KeptGroups {
  const uses = policies.flatMap(usesOf);
  const lost = uses
    .map((use) => ({ use, groups: lastContent(use, present, before) }))
    .filter(({ groups }) => groups.length > 0);
  const kept = new Set([...lost.flatMap(({ groups }) => groups), ...lostRoles(present, before)]);
  const keptNames = new Set([...kept].map(({ name }) => name));
  const all = [...present.filter(({ name }) => !keptNames.has(name)), ...kept];
  const referred = new Set(uses.flatMap(({ ref }) => referredGroups(ref, all)));
  return {
    groups: all.filter((group) => trustedRole(group) !== undefined || referred.has(group)),
    warnings: lost.map(({ use }) => warningOf(use)),
  };
}

function lastContent(
  { ref, opens }: Use,
  present: readonly GroupAddresses[],
  before: readonly GroupAddresses[],
): GroupAddresses[] {
  const now = referredGroups(ref, present);
  const ofNodes = "nodes" in ref;
  if (opens && !ofNodes ? now.some(isFilled) : now.length > 0) return [];
  // One that is there but no longer meant was given other labels: somebody took it out.
  const elsewhere = new Set(present.filter((group) => !now.includes(group)).map(({ name }) => name));
  return referredGroups(ref, before).filter((group) => (ofNodes || isFilled(group)) && !elsewhere.has(group.name));
}

function lostRoles(present: readonly GroupAddresses[], before: readonly GroupAddresses[]): GroupAddresses[] {
  const roles = new Set(present.filter(isFilled).map(trustedRole));
  return before.filter((group) => {
    const role = trustedRole(group);
    return role !== undefined && isFilled(group) && !roles.has(role);
  });
}

function warningOf({ policy, ref, opens }: Use): PlanWarning {
  const what = describeGroupRef(ref);
  if ("nodes" in ref) {
    const message = `${what}: their addresses are no longer published; the last ones stay in force`;
    return { policy, reason: "NodeAddressesMissing", message };
  }
  const message = opens
    ? `${what}: gone or empty; the last addresses stay in force`
    : `${what}: gone; the last addresses stay denied until a group is there again, be it empty, or the entry goes`;
  return { policy, reason: "AddressGroupMissing", message };
}

function usesOf({ name: policy, plan: { inbound, outbound, rateLimits } }: AssignedPolicy): Use[] {
  const directions = [inbound, outbound].filter((direction) => direction !== undefined);
  const opening = [
    ...directions.flatMap(({ allow }) => refsOf(allow)),
    ...rateLimits.flatMap(({ exempt }) => exempt.groups),
  ];
  const closing = directions.flatMap(({ deny }) => refsOf(deny));
  return [
    ...opening.map((ref) => ({ policy, ref, opens: true })),
    ...closing.map((ref) => ({ policy, ref, opens: false })),
  ];
}

function refsOf(entries: readonly PlanEntry[]): readonly GroupRef[] {
  return entries.flatMap(({ peers }) => (peers === "Everybody" ? [] : peers.groups));
}

function isFilled({ addresses }: GroupAddresses): boolean {
  return addresses.length > 0;
}

/** Of the groups that say whom the node trusts, whatever its policies name. */
function trustedRole({ labels }: GroupAddresses): string | undefined {
  const role = labels[CLUSTER_ADDRESSES_LABEL];
  return role === SELECTED_NODES ? undefined : role;
}
