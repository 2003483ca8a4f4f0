import type { Rollout } from "../api/rollout.ts";
import type { RolloutNode, Turn } from "./rollout.ts";
import { nodesAtOnce, standingOf } from "./rollout-standing.ts";

export interface Leaving {
  readonly turns: readonly (readonly [string, Turn])[];
  readonly waitingFor: readonly RolloutNode[];
  readonly pending: number;
}

/**
 * Whom a policy may be taken off: it was deleted, or no longer selects the node. Where no other policy enforces anything that can only
 * open, and may be the way out of a node that is cut off: at once. Elsewhere it also closes what it alone allowed above another's
 * default, so some nodes at a time; but without canaries, since a node that it left cannot be told from one that never had it, and without
 * halting: of a policy that is gone nobody could say so, nor go on. For the same reason only nodes that are alive are waited for.
 */
export function leavingTurns({ strategy, maxUnavailable }: Rollout, nodes: readonly RolloutNode[]): Leaving {
  const group = Map.groupBy(nodes, standingOf);
  const pending = group.get("Pending") ?? [];
  const atOnce = ({ cutsNothing }: RolloutNode) => cutsNothing || strategy === "Immediate";
  const free = pending.filter(atOnce);
  const waitingFor = (group.get("InFlight") ?? []).filter(({ alive }) => alive);
  const ready = pending.filter((node) => node.alive && !atOnce(node));
  const away = pending.filter((node) => !node.alive && !atOnce(node));
  const most = nodesAtOnce(maxUnavailable, nodes.filter(({ alive }) => alive).length);
  const now = [...free, ...ready.slice(0, Math.max(0, most - waitingFor.length))];
  const last = ready.length + waitingFor.length === 0 ? away : [];
  return {
    turns: [
      ...now.map(({ name }) => [name, "Awaited"] as const),
      ...last.map(({ name }) => [name, "Unawaited"] as const),
    ],
    waitingFor,
    pending: pending.length,
  };
}
