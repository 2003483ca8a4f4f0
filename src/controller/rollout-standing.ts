/** What a roll-out makes of one node. */
import type { RolloutNode } from "./rollout.ts";

/** Settled: says that it is in force, or gone. Failed: says that it could not. InFlight: was handed it, and said neither. */
export type Standing = "Pending" | "InFlight" | "Settled" | "Failed";

export function standingOf({ desired, assigned, reported }: RolloutNode): Standing {
  if (assigned !== desired) return "Pending";
  // Agents speak of what is assigned: what an old report says of a policy that was taken off is not about that.
  if (desired === undefined) return reported === undefined ? "Settled" : "InFlight";
  if (reported?.hash !== desired || reported.state === "Pending") return "InFlight";
  return isInForce(reported.state) ? "Settled" : "Failed";
}

/** NotEnforceable cuts nothing and is mended on the node: the others are not to go without protection for it. */
function isInForce(state: string): boolean {
  return state === "Enforced" || state === "NotEnforceable";
}

/** A node that is not alive is waited for where it was when it was handed the revision. Where no agent ever was, nobody took it. */
export function holdsPlace({ alive, heard, unawaited }: RolloutNode): boolean {
  return alive || (heard && !unawaited);
}

/** What can only open; and a revision that an agent kept while its NodeState was lost. */
export function needsNoTurn({ alive, cutsNothing, assigned, desired, reported }: RolloutNode): boolean {
  if (cutsNothing) return alive || assigned !== undefined;
  return assigned === undefined && reported !== undefined && reported.hash === desired && isInForce(reported.state);
}

/** Of `nodes`; at least one, or nothing would ever move. */
export function nodesAtOnce(maxUnavailable: number | string, nodes: number): number {
  if (typeof maxUnavailable === "number") return maxUnavailable;
  return Math.max(1, Math.floor((nodes * Number.parseInt(maxUnavailable, 10)) / 100));
}
