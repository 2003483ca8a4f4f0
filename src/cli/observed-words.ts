import type { NodePlan } from "../plan/node-plan.ts";
import type { ObservedReference } from "../simulate/simulate.ts";

/** What a policy in mode Observe would make of a packet: `would be dropped by policy X, entry "Y", if it were enforced`. */
export function observedWords({ would, policy, entry, hash }: ObservedReference, { observed }: NodePlan): string {
  const scopes = [...(observed?.inbound ?? []), ...(observed?.outbound ?? [])];
  const scope = scopes.find((one) => one.policy === policy && one.hash === hash);
  const what = `policy ${policy}, ${whatOf(entry, scope?.defaultAction)}, if it were enforced`;
  if (would === "Pass") return `would pass by ${what}`;
  if (would === "MayBeDropped")
    return `would be dropped above the limit "${entry}" of policy ${policy}, if it were enforced`;
  return `would be ${scope?.defaultAction === "Reject" ? "rejected" : "dropped"} by ${what}`;
}

/** The scope's own hash stands for what no entry decides. */
function whatOf(entry: string | undefined, defaultAction: string | undefined): string {
  if (defaultAction === undefined) return `entry "${entry}"`;
  return entry === "trust" ? "trustCluster" : `defaultAction ${defaultAction}`;
}
