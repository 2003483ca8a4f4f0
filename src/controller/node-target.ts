import { NODE_KEEP_MAX, NODE_POLICIES_MAX } from "../api/node-state.ts";
import { byName, compareText } from "../plan/text-order.ts";
import type { Assigned, WrittenPlan } from "../plan/types.ts";
import type { DesiredPolicy } from "./desired-policies.ts";
import type { AssignedFacts, NodeStateFacts } from "./node-state-facts.ts";
import type { Turn } from "./rollout.ts";

/** What shall stand in a NodeState now. */
export interface NodeTarget {
  /** Sorted by name. */
  readonly set: readonly Assigned<WrittenPlan>[];
  /** Names of elements that stay as they are: their policy is invalid, or it is not their turn. */
  readonly keep: readonly string[];
  /** Names of elements that are taken off. */
  readonly remove: readonly string[];
  /** spec.keep: of these the NodeState has no element, though the node may have something. Sorted. */
  readonly keepOnNode: readonly string[];
  /** spec.unawaited, sorted. */
  readonly unawaited: readonly string[];
  /** spec.previews: revisions that wait for their turn. Sorted by name. */
  readonly previews: readonly Assigned<WrittenPlan>[];
  /** Whether the NodeState does not say so already. */
  readonly differs: boolean;
  /** The same of `previews` alone: nothing that is in force changes. */
  readonly asks: boolean;
}

/** `turnOf`: whether roll-out lets this policy change to this revision (undefined: go) on this node now. */
export function nodeTarget(
  desired: ReadonlyMap<string, DesiredPolicy>,
  state: NodeStateFacts | undefined,
  turnOf: (policy: string, revision: string | undefined) => Turn | undefined,
): NodeTarget {
  const assigned = new Map(state?.assigned.map((element) => [element.name, element]));
  const set: Assigned<WrittenPlan>[] = [];
  const keep: string[] = [];
  const remove: string[] = [];
  const keepOnNode: string[] = [];
  const previews: Assigned<WrittenPlan>[] = [];
  const unawaited: string[] = [];
  let differs = state === undefined;
  for (const [name, wanted] of desired) {
    const before = assigned.get(name);
    const turn = "element" in wanted ? turnOf(name, wanted.element.hash) : undefined;
    // An element that somebody edited has no hash, so it is never the same.
    const same = "element" in wanted && before?.hash === wanted.element.hash;
    if ("element" in wanted && (same || turn !== undefined)) {
      set.push(wanted.element);
      if (same ? state?.unawaited.includes(name) : turn === "Unawaited") unawaited.push(name);
      // A policy that was deleted and made anew with the same content: status answers with the uid.
      if (!same || before.uid !== wanted.element.uid || retries(wanted.element, before, state)) differs = true;
      continue;
    }
    // An agent that does not look has not said so, and is not asked: the roll-out would wait for nothing.
    if ("element" in wanted && wanted.element.mode === "Enforce" && state?.coming.said !== undefined) {
      previews.push(wanted.element);
    }
    if (before !== undefined) keep.push(name);
    // A NodeState that was lost, and is made anew, does not know what its node has.
    else if (state === undefined || state.keep.includes(name)) keepOnNode.push(name);
  }
  for (const name of assigned.keys()) {
    if (desired.has(name)) continue;
    if (turnOf(name, undefined) !== undefined) {
      remove.push(name);
      differs = true;
    } else keep.push(name);
  }
  keepOnNode.sort(compareText).splice(NODE_KEEP_MAX);
  // A policy that came to be deselected or deleted meanwhile.
  if (state !== undefined && keepOnNode.length !== state.keep.length) differs = true;
  previews.sort(byName).splice(NODE_POLICIES_MAX);
  return {
    set: set.toSorted(byName),
    keep,
    remove,
    keepOnNode,
    unawaited: unawaited.toSorted(compareText),
    previews,
    differs,
    asks: revisionsOf(previews) !== revisionsOf(state?.coming.asked ?? []),
  };
}

function revisionsOf(elements: readonly { readonly name: string; readonly hash: string }[]): string {
  return elements.map(({ name, hash }) => `${name}@${hash}`).join(" ");
}

/** Whoever enforces all has nothing to try again. */
function retries(
  { name, hash, retryAt }: Assigned<WrittenPlan>,
  before: AssignedFacts,
  state: NodeStateFacts | undefined,
) {
  if (retryAt === undefined || before.retryAt === retryAt) return false;
  const reported = state?.reported.find((policy) => policy.name === name);
  if (reported?.hash !== hash) return false;
  return state?.rolledBack === true || (reported.state !== "Enforced" && reported.state !== "Pending");
}
