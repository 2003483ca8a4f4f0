import type { Rollout, RolloutPhase } from "../api/rollout.ts";
import { type Labels, selects } from "../plan/select.ts";
import { byName } from "../plan/text-order.ts";
import type { ReportedPolicy } from "./node-state-facts.ts";
import { leavingTurns } from "./rollout-leaving.ts";
import { holdsPlace, needsNoTurn, nodesAtOnce, type Standing, standingOf } from "./rollout-standing.ts";

/** One node that a policy selects, has or leaves, as roll-out sees it: revisions are hashes of compiled plans, never generations. */
export interface RolloutNode {
  readonly name: string;
  readonly labels: Labels;
  /** The revision that it shall end up with; undefined: the policy leaves the node. */
  readonly desired: string | undefined;
  /** The revision in its NodeState now. */
  readonly assigned: string | undefined;
  /** The revision that its agent speaks of, and what it says. */
  readonly reported: { readonly hash: string; readonly state: ReportedPolicy["state"] } | undefined;
  /** Ready, and its agent was heard of lately: it can take a change and say what became of it. */
  readonly alive: boolean;
  /** Its agent was heard of at some time. */
  readonly heard: boolean;
  /** It was handed what is assigned while it was not alive. */
  readonly unawaited: boolean;
  /**
   * What it gets enforces nothing (it observes, or the policy leaves), and what it has does not either, or no other policy does there:
   * so the change can only open.
   */
  readonly cutsNothing: boolean;
  /** Its agent is asked what the revision would cut, before its turn; absent: it is not asked. */
  readonly preview?: "Awaited" | "Said" | undefined;
}

/** What nodes say beforehand of a revision: whether their time to do so is over, and whether the policy's status shows all of it. */
export interface PreviewGate {
  readonly over: boolean;
  readonly shown: boolean;
}

const SHOWN: PreviewGate = { over: false, shown: true };

/** Unawaited: the node is not alive, so nobody waits for its answer. */
export type Turn = "Awaited" | "Unawaited";

export interface RolloutDecision {
  /** Nodes on which the policy may be changed now. */
  readonly turns: ReadonlyMap<string, Turn>;
  readonly phase: RolloutPhase;
  readonly total: number;
  readonly updated: number;
  readonly enforced: number;
  /** Handed, and not answered: the others wait for these. By name. */
  readonly waitingFor: readonly RolloutNode[];
  /** At the newest revision, where they say that it failed. By name. */
  readonly failed: readonly RolloutNode[];
  /** Nodes that still have to be changed, their turn now or later. */
  readonly pending: number;
  /** Those whose preview it waits for; absent: it waits for none. */
  readonly previewing?: readonly RolloutNode[];
}

/**
 * Who may be changed now (DESIGN 7.6). Pure and without memory: called anew on every pass with the whole fleet, so it goes on after
 * a restart at any moment. What a node has and says is all that there is to know: canaries are those that enforce the revision.
 *
 * 1. Canaries first: no other node before `count` of them enforce it, or all that there are.
 * 2. Never more than maxUnavailable that were handed it and do not enforce it yet.
 * 3. One that says that it failed halts all, until it says otherwise or another revision is wanted.
 * 4. Nodes that are not alive are not waited for, and get it when all others have it: what they need may be this very change.
 *    One that never had the policy cannot be in need of it, and takes its turn when it is back.
 * 5. One that stopped living AFTER it was handed the revision keeps its place: that may be the revision's work.
 * 6. Beyond the canaries only when all that are alive have said what it would cut, or their time is over; and status shows it.
 */
export function rollout(
  settings: Rollout,
  nodes: readonly RolloutNode[],
  previews: PreviewGate = SHOWN,
): RolloutDecision {
  const sorted = nodes.toSorted(byName);
  const changing = sorted.filter(({ desired }) => desired !== undefined);
  const leaving = sorted.filter(({ desired }) => desired === undefined);
  const group = Map.groupBy(changing, standingOf);
  const of = (standing: Standing) => group.get(standing) ?? [];
  const { paused, strategy } = settings;
  const failed = of("Failed");
  const holding = of("InFlight").filter(holdsPlace);
  const pending = of("Pending").filter((node) => !needsNoTurn(node));
  const free = of("Pending").filter(needsNoTurn);
  const fleet: Fleet = { changing, settled: of("Settled"), inFlight: of("InFlight"), failed, holding, pending };

  const step = strategy === "Immediate" ? immediately(fleet) : progressively(settings, fleet, previews);
  const gone = leavingTurns(settings, leaving);
  const turns = paused ? [] : [...free.map(awaited), ...step.turns, ...gone.turns];
  const unchanged = sorted.filter((node) => standingOf(node) === "Pending");
  const complete = step.phase === "Complete" && gone.pending + gone.waitingFor.length === 0;
  const phase = step.phase === "Complete" && !complete ? "Progressing" : step.phase;
  return {
    turns: new Map(turns),
    phase: paused && phase !== "Halted" && unchanged.some(({ alive }) => alive) ? "Paused" : phase,
    total: nodes.length,
    updated: nodes.filter(({ desired, assigned }) => desired === assigned).length,
    enforced: fleet.settled.length,
    waitingFor: [...holding, ...gone.waitingFor].toSorted(byName),
    failed,
    pending: unchanged.length,
    ...(step.previewing === undefined ? {} : { previewing: step.previewing }),
  };
}

interface Fleet {
  readonly changing: readonly RolloutNode[];
  readonly settled: readonly RolloutNode[];
  readonly inFlight: readonly RolloutNode[];
  readonly failed: readonly RolloutNode[];
  /** In flight, and waited for. */
  readonly holding: readonly RolloutNode[];
  readonly pending: readonly RolloutNode[];
}

interface Step {
  readonly turns: readonly (readonly [string, Turn])[];
  readonly phase: RolloutPhase;
  readonly previewing?: readonly RolloutNode[];
}

const awaited = ({ name }: RolloutNode) => [name, "Awaited"] as const;
const unawaited = ({ name }: RolloutNode) => [name, "Unawaited"] as const;

function immediately({ pending, holding, failed }: Fleet): Step {
  const turns = pending.map((node) => (node.alive ? awaited(node) : unawaited(node)));
  return { turns, phase: pending.length + holding.length + failed.length === 0 ? "Complete" : "Progressing" };
}

function progressively(settings: Rollout, fleet: Fleet, previews: PreviewGate): Step {
  const { changing, settled, holding, failed, pending } = fleet;
  if (failed.length > 0) return { turns: [], phase: "Halted" };
  if (pending.length + holding.length === 0) return { turns: [], phase: "Complete" };
  const alive = changing.filter((node) => node.alive);
  const most = nodesAtOnce(settings.maxUnavailable, alive.length);
  const { count = 1, nodeSelector } = settings.canary ?? {};
  const isCanary = (node: RolloutNode) => selects(nodeSelector, node.labels);
  if (!changing.some(isCanary)) return { turns: [], phase: "Blocked" };

  const ready = pending.filter((node) => node.alive);
  const away = pending.filter((node) => !node.alive && node.assigned !== undefined);
  const have = settled.filter(isCanary).length;
  const want = Math.min(count, have + [...holding, ...ready].filter(isCanary).length);
  if (want === 0 || have < want) {
    // Where nobody is alive, the change may be what brings them back.
    if (alive.length === 0 && holding.length === 0) return lastResort(count, fleet, away.filter(isCanary));
    const room = Math.min(want - have, most) - holding.length;
    const canaries = ready.filter(isCanary).slice(0, Math.max(0, room));
    return { turns: canaries.map(awaited), phase: "Canary" };
  }
  const unsaid = previews.over ? [] : ready.filter(({ preview }) => preview === "Awaited");
  const unshown = !previews.shown && ready.some(({ preview }) => preview !== undefined);
  if (unsaid.length > 0 || unshown) return { turns: [], phase: "Canary", previewing: unsaid };
  const next = [...ready.filter(isCanary), ...ready.filter((node) => !isCanary(node))];
  const turns = next.slice(0, Math.max(0, most - holding.length)).map(awaited);
  if (ready.length + holding.length > 0) return { turns, phase: "Progressing" };
  return { turns: away.map(unawaited), phase: "Complete" };
}

function lastResort(count: number, { inFlight }: Fleet, away: readonly RolloutNode[]): Step {
  return { turns: away.slice(0, Math.max(0, count - inFlight.length)).map(unawaited), phase: "Canary" };
}
