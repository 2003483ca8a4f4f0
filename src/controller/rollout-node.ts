import type { DesiredPolicy } from "./desired-policies.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import type { Handed } from "./own-writes.ts";
import type { RolloutNode } from "./rollout.ts";

/** When agents were heard of; by the controller's clock, in milliseconds since the epoch. */
export interface Hearing {
  readonly heardAt: (node: string) => number | undefined;
  readonly silentAfterMilliseconds: number;
  readonly now: number;
}

export interface RolloutNodeView {
  readonly node: NodeFacts;
  readonly state: NodeStateFacts | undefined;
  /** What was handed over, which may be newer than `state`. */
  readonly handed: Handed | undefined;
  /** undefined: the policy does not select the node, or is gone. */
  readonly wanted: DesiredPolicy | undefined;
}

/** undefined where the policy has nothing to do with the node. What cannot be compiled stays what it is. */
export function rolloutNode(
  policy: string,
  { node, state, handed, wanted }: RolloutNodeView,
  { heardAt, silentAfterMilliseconds, now }: Hearing,
): RolloutNode | undefined {
  const has = handed?.assigned.find(({ name }) => name === policy);
  const said = state?.reported.find(({ name }) => name === policy);
  // One that somebody took out has no turn to wait for, nor does anybody wait for it.
  if (node.skipped) return undefined;
  // No turn brings it further; counted, it would be taken for one that has what it shall have.
  if (wanted !== undefined && "problem" in wanted && wanted.skew !== undefined) return undefined;
  // What somebody edited has no hash, and is no revision.
  const assigned = has && (has.hash ?? "");
  const element = wanted !== undefined && "element" in wanted ? wanted.element : undefined;
  const desired = wanted === undefined ? undefined : element === undefined ? assigned : element.hash;
  // An agent that kept something is told by spec.keep; nobody is asked to change it.
  if (desired === undefined && assigned === undefined && (said === undefined || wanted !== undefined)) return undefined;
  const others = (handed?.assigned ?? []).some(({ name, observes }) => name !== policy && observes !== true);
  const alone = !others && state?.keep.some((name) => name !== policy) !== true;
  const becomesObserver = desired === undefined || element?.mode === "Observe";
  const heard = heardAt(node.name);
  const preview = element?.mode === "Enforce" ? previewOf(policy, element.hash, state) : undefined;
  return {
    name: node.name,
    labels: node.labels,
    desired,
    assigned,
    reported: said && { hash: said.hash, state: said.state },
    alive: node.ready && heard !== undefined && now < heard + silentAfterMilliseconds,
    heard: heard !== undefined,
    unawaited: handed?.unawaited.includes(policy) ?? false,
    ...(preview === undefined ? {} : { preview }),
    cutsNothing: becomesObserver && (has === undefined || has.observes === true || alone),
  };
}

function previewOf(policy: string, hash: string, state: NodeStateFacts | undefined): RolloutNode["preview"] {
  const said = state?.coming.said;
  if (said === undefined) return undefined;
  return said.some((one) => one.name === policy && one.hash === hash) ? "Said" : "Awaited";
}
