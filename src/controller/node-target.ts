import { byName } from "../plan/text-order.ts";
import type { Assigned, WrittenPlan } from "../plan/types.ts";
import type { DesiredPolicy } from "./desired-policies.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";

/** What shall stand in a NodeState now. */
export interface NodeTarget {
  /** Sorted by name. */
  readonly set: readonly Assigned<WrittenPlan>[];
  /** Names of elements that stay as they are: their policy is invalid, or it is not their turn. */
  readonly keep: readonly string[];
  /** Names of elements that are taken off. */
  readonly remove: readonly string[];
  /** Whether the NodeState does not say so already. */
  readonly differs: boolean;
}

/** `mayChange`: whether roll-out lets this policy change on this node now. */
export function nodeTarget(
  desired: ReadonlyMap<string, DesiredPolicy>,
  state: NodeStateFacts | undefined,
  mayChange: (policy: string) => boolean,
): NodeTarget {
  const assigned = new Map(state?.assigned.map((element) => [element.name, element]));
  const set: Assigned<WrittenPlan>[] = [];
  const keep: string[] = [];
  const remove: string[] = [];
  let differs = state === undefined;
  for (const [name, wanted] of desired) {
    const before = assigned.get(name);
    // An element that somebody edited has no hash, so it is never the same.
    const same = "element" in wanted && before?.hash === wanted.element.hash;
    if ("element" in wanted && (same || mayChange(name))) {
      set.push(wanted.element);
      // A policy that was deleted and made anew with the same content: status answers with the uid.
      if (!same || before.uid !== wanted.element.uid) differs = true;
    } else if (before !== undefined) keep.push(name);
  }
  for (const name of assigned.keys()) {
    if (desired.has(name)) continue;
    if (mayChange(name)) {
      remove.push(name);
      differs = true;
    } else keep.push(name);
  }
  return { set: set.toSorted(byName), keep, remove, differs };
}
