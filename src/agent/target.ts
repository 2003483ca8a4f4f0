import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { GroupAddresses } from "../plan/types.ts";
import type { AssignedPolicies } from "./assigned-policies.ts";
import { compileEnforcement, type Enforcement } from "./enforcement.ts";
import type { NodeStateRecord } from "./inputs.ts";

/** What the node shall become. `Keep` leaves it as it is: nothing that could be read says what to enforce. */
export type Target =
  | { readonly kind: "Enforce"; readonly enforcement: Enforcement }
  | { readonly kind: "Clear" }
  | { readonly kind: "Keep"; readonly reason: string; readonly message: string };

/**
 * What a completely read NodeState asks for. Only one that exists with an empty list clears a node (DESIGN 7.7). Pure;
 * throws where the policies cannot be merged.
 */
export function targetOf(
  state: NodeStateRecord | undefined,
  { policies: assigned, lost }: { readonly policies: AssignedPolicies; readonly lost: boolean },
  groups: { readonly present: readonly GroupAddresses[]; readonly before: readonly GroupAddresses[] },
  settings: NodeSettings,
): Target {
  if (state === undefined) return { kind: "Keep", reason: "NoNodeState", message: "this node has no NodeState" };
  if (state.policies === undefined) {
    return { kind: "Keep", reason: "SpecUnreadable", message: "spec.policies of the NodeState is not a list" };
  }
  if (state.policies.length === 0 && assigned.policies.length === 0) {
    const { keep = [] } = state;
    if (keep.length === 0) return { kind: "Clear" };
    return { kind: "Keep", reason: "AwaitingTurn", message: `waiting for the roll-out of ${keep.join(", ")}` };
  }
  if (assigned.policies.length === 0) {
    const rolledBack = assigned.refused.find(({ state }) => state === "RolledBack");
    if (rolledBack !== undefined) return { kind: "Keep", reason: "RolledBack", message: rolledBack.message };
    return { kind: "Keep", reason: "SpecUnreadable", message: "no policy in the NodeState is readable" };
  }
  const unknown = assigned.refused.find(({ name }) => !assigned.policies.some((policy) => policy.name === name));
  if (lost && unknown !== undefined) {
    // Enforcing the others would take away what an agent of another version may have enforced of this one.
    const what = unknown.state === "RolledBack" ? "was rolled back" : "cannot be read";
    const message = `policy ${unknown.name} ${what}, and what an agent before this one enforced of it cannot be read: all stays as it is`;
    return { kind: "Keep", reason: unknown.state === "RolledBack" ? "RolledBack" : "SpecUnreadable", message };
  }
  const enforcement = compileEnforcement(assigned.policies, groups, settings);
  const missing = addressesMissing(enforcement, state.alone);
  return missing === undefined ? { kind: "Enforce", enforcement } : { kind: "Keep", ...missing };
}

type Compiled = Pick<Enforcement, "plan" | "groups">;

/** What the controller has yet to publish before anything can be judged by these policies; `alone`: there is none. */
export function addressesMissing(
  compiled: Compiled,
  alone: NodeStateRecord["alone"],
): { readonly reason: string; readonly message: string } | undefined {
  if (alone !== true && judgesTraffic(compiled) && !knowsNodes(compiled)) {
    const message =
      "the controller has not published the nodes' addresses yet: enforced now, it would cut the cluster's own traffic";
    return { reason: "ClusterAddressesMissing", message };
  }
  const unpublished = compiled.plan.warnings.find(({ reason }) => reason === "NodeAddressesMissing");
  if (unpublished === undefined) return undefined;
  // All waits, not this policy alone: another that comes with it may rely on what this one allows.
  const message = `policy ${unpublished.policy}: ${unpublished.message}; enforced now, it would cut them off: waiting for the controller`;
  return { reason: "NodeAddressesMissing", message };
}

function judgesTraffic({ plan }: Compiled): boolean {
  return plan.inbound.length + plan.outbound.length + plan.rateLimits.length > 0;
}

/** NodeState and groups come by watches of their own, in any order; a cluster has at least this node. */
function knowsNodes({ groups }: Compiled): boolean {
  return groups.some(({ labels, addresses }) => labels[CLUSTER_ADDRESSES_LABEL] === "nodes" && addresses.length > 0);
}
