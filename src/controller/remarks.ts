import type { NodeOutcome } from "./node-outcome.ts";
import { nameNodes } from "./verdict.ts";

const REMARKS_MAX = 3;

/**
 * What agents say of a policy beside that they enforce it (a group that is gone, a prefix left out), or why they wait: a
 * sentence for each remark, the most frequent first. Empty where there is none.
 */
export function remarksOf(outcomes: readonly NodeOutcome[]): string {
  const remarks = Map.groupBy(
    outcomes.filter(({ outcome, reason, message }) => isRemark(outcome, reason) && message !== undefined),
    ({ message }) => message,
  );
  const most = [...remarks].toSorted(([, a], [, b]) => b.length - a.length).slice(0, REMARKS_MAX);
  return most.map(([message, nodes]) => ` On ${nameNodes(nodes)}: ${message}.`).join("");
}

/** `Applying` is over in a moment and needs no words. */
function isRemark(outcome: NodeOutcome["outcome"], reason: string | undefined): boolean {
  return outcome === "Enforced" || (outcome === "Pending" && reason !== "Applying");
}
