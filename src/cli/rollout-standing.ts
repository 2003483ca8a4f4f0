import type { PolicyStatus } from "../api/policy.ts";
import { parsePolicyStatus } from "../controller/policy-facts.ts";
import type { KubeObject } from "../kube/types.ts";

export interface RolloutStanding {
  /** For people. */
  readonly line: string;
  /** Stalled: somebody has to act. */
  readonly outcome: "Running" | "Done" | "Stalled";
}

/** How the roll-out of a policy stands, by what its status says of this very generation. */
export function rolloutStanding(policy: KubeObject): RolloutStanding {
  const { name, generation = 0 } = policy.metadata;
  const status = parsePolicyStatus(policy);
  if (status?.observedGeneration !== generation) {
    return { line: `${name}: waiting for the controller to look at it`, outcome: "Running" };
  }
  return { line: `${name}: ${progressWords(status)}${status.message ?? ""}`, outcome: outcomeOf(status) };
}

function outcomeOf(status: PolicyStatus): RolloutStanding["outcome"] {
  const holds = (type: string) => status.conditions?.some((one) => one.type === type && one.status === "True") === true;
  if (holds("Stalled")) return "Stalled";
  const over = status.rollout === undefined || status.rollout.phase === "Complete";
  return holds("Ready") && over ? "Done" : "Running";
}

/** `Progressing, 12 of 40: `. */
function progressWords({ rollout }: PolicyStatus): string {
  return rollout === undefined ? "" : `${rollout.phase}, ${rollout.enforced} of ${rollout.total}: `;
}
