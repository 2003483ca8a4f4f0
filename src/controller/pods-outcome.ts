import type { PodCounts } from "../api/pods.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { NodeOutcome } from "./node-outcome.ts";
import { type PodRangeState, wantedRange } from "./pod-range.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import type { Verdict } from "./verdict.ts";

/** What became of a policy that asks for a range in pods. */
export interface PodsOutcome {
  /** Whether new pods get it: `Lost`, another policy's. */
  readonly state: "Given" | "Pending" | "NotGiven" | "Lost";
  /** Why not. */
  readonly problem?: string;
  /** Of all nodes where somebody counted; pods of before are among them. */
  readonly counts?: PodCounts;
}

/** Whether the policy, as it is now, enforces a range in new pods. */
export function asksForPods({ compiled }: Pick<PolicyFacts, "compiled">): boolean {
  if (compiled.outcome !== "Compiled") return false;
  const { mode, plan } = compiled.element;
  return mode === "Enforce" && plan.ephemeralPorts?.pods === "Inject";
}

/**
 * `found`: as the controller last looked; `all`: the cluster's policies. Undefined where the policy asks for nothing in
 * pods.
 */
export function podsOutcome(
  policy: Pick<PolicyFacts, "compiled">,
  { found, all }: { readonly found: PodRangeState | undefined; readonly all: readonly CompiledPolicy[] },
  nodes: readonly Pick<NodeOutcome, "pods">[],
): PodsOutcome | undefined {
  if (policy.compiled.outcome !== "Compiled" || !asksForPods(policy)) return undefined;
  const own = wantedRange([policy.compiled])?.range;
  if (wantedRange(all)?.range !== own) return { state: "Lost" };
  if (found?.problem !== undefined) return { state: "NotGiven", problem: found.problem };
  if (found?.given?.range !== own) return { state: "Pending" };
  const counted = nodes.flatMap(({ pods }) => pods ?? []);
  if (counted.length === 0) return { state: "Given" };
  const sum = (of: keyof PodCounts) => counted.reduce((total, one) => total + one[of], 0);
  return { state: "Given", counts: { running: sum("running"), withRange: sum("withRange") } };
}

/** Enforced on all nodes is not all that such a policy asks for. What nodes say for themselves goes before. */
export function withPods(verdict: Verdict, pods: PodsOutcome | undefined): Verdict {
  if (pods === undefined || verdict.ready !== "True") return verdict;
  switch (pods.state) {
    case "Given":
    case "Lost":
      return verdict;
    case "Pending":
      return { ...verdict, ready: "False", reconciling: true, reason: "Progressing" };
    case "NotGiven":
      return { ...verdict, ready: "False", stalled: true, reason: "PartlyEnforced" };
  }
}

/** What a person should know of it, a sentence each. */
export function podRemarks(pods: PodsOutcome | undefined): readonly string[] {
  if (pods === undefined) return [];
  const { state, problem, counts } = pods;
  if (state === "Pending") return ["New pods do not get the range yet."];
  if (problem !== undefined) return [`New pods do not get the range: ${problem}.`];
  if (counts === undefined || counts.withRange === counts.running) return [];
  const others = counts.running - counts.withRange;
  return [
    `${others} of ${counts.running} running pods have another range: they are older, set their own, or are excepted.`,
  ];
}
