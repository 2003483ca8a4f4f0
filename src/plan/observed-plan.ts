/** Policies in mode Observe: what to count, beside what the others enforce. */
import { observedSettings } from "./merge-scalars.ts";
import type { NodeDirection, NodePlan } from "./node-plan.ts";
import type { ObservedPlan } from "./observed-types.ts";
import type { AssignedPolicy } from "./types.ts";

type Judged = Pick<NodePlan, "inbound" | "outbound" | "rateLimits">;

/** Of all that policies judge and limit: what is enforced, and what is observed where one observes. */
export function splitByMode(
  policies: readonly AssignedPolicy[],
  judged: Judged,
): { readonly enforced: Judged; readonly observed?: ObservedPlan } {
  const observing = new Set(policies.filter(({ mode }) => mode === "Observe").map(({ name }) => name));
  if (observing.size === 0) return { enforced: judged };
  const observes = ({ policy }: { readonly policy: string }): boolean => observing.has(policy);
  const enforces = (one: { readonly policy: string }): boolean => !observes(one);
  // A direction that nobody observes stays as it is, so there is nothing to count.
  const observed = (directions: readonly NodeDirection[]) => (directions.some(observes) ? directions : []);
  return {
    enforced: {
      inbound: judged.inbound.filter(enforces),
      outbound: judged.outbound.filter(enforces),
      rateLimits: judged.rateLimits.filter(enforces),
    },
    observed: {
      policies: [...observing].toSorted(),
      inbound: observed(judged.inbound),
      outbound: observed(judged.outbound),
      rateLimits: judged.rateLimits.filter(observes),
      settings: observedSettings(policies),
    },
  };
}

/** What observing policies hear; those that enforce are told only of what is in force. */
export function ofObserving<T extends { readonly policy: string }>(
  observed: ObservedPlan | undefined,
  warnings: readonly T[],
): T[] {
  return warnings.filter(({ policy }) => observed?.policies.includes(policy) === true);
}
