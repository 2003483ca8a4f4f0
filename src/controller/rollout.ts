import type { ReportedPolicy } from "./node-state-facts.ts";

/** One node that a policy selects, as roll-out sees it: revisions are hashes of compiled plans, never generations. */
export interface RolloutNode {
  readonly name: string;
  /** The revision that it shall end up with; undefined: the policy leaves the node. */
  readonly desired: string | undefined;
  /** The revision in its NodeState now. */
  readonly assigned: string | undefined;
  /** The revision that its agent speaks of, and what it says. */
  readonly reported: { readonly hash: string; readonly state: ReportedPolicy["state"] } | undefined;
}

/**
 * The nodes on which a policy may be changed now. The seam for canaries and maxUnavailable (DESIGN 7.6): called anew on
 * every pass with the whole fleet, it needs no memory. Today: all of them at once.
 */
export function rollout(nodes: readonly RolloutNode[]): ReadonlySet<string> {
  return new Set(nodes.filter(({ desired, assigned }) => desired !== assigned).map(({ name }) => name));
}
