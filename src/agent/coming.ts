import { isDeepStrictEqual } from "node:util";
import type { ComingOnNode } from "../api/coming.ts";
import { merge } from "../plan/merge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import { parseAssigned } from "../plan/parse-plan.ts";
import type { GroupAddresses } from "../plan/types.ts";
import { useJudge } from "../preview/judge-use.ts";
import type { NodeUse } from "../preview/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readRevision } from "./assigned-policies.ts";
import { comingOnNode, type Revision, unknownOnNode } from "./coming-on-node.ts";
import type { Enforcement } from "./enforcement.ts";
import { keepGroups } from "./keep-groups.ts";
import { messageOf } from "./outcomes.ts";
import type { SteadyClock } from "./steady-clock.ts";
import { addressesMissing } from "./target.ts";
import { wake } from "./wake.ts";

/** Says what revisions would cut here whose turn on this node has not come (DESIGN 7.2). Changes nothing. */
export interface Coming {
  /** What waits, and what is in force meanwhile. Cheap. */
  follow(view: ComingView): void;
  /** What an agent before this one said, until this one has looked. */
  remember(before: readonly ComingOnNode[]): void;
  /** What is known of those that wait. */
  status(): readonly ComingOnNode[];
  /** A look is due or under way: there will be more to say in a moment. */
  looking(): boolean;
  /** Looks until `signal` aborts, beside everything else. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ComingView {
  /** spec.previews: each element is still to be judged. */
  readonly waiting: readonly unknown[];
  readonly held: Enforcement | undefined;
  /** What is assigned is not in force yet: judged now, what comes would be blamed for it. */
  readonly settling: boolean;
  readonly groups: readonly GroupAddresses[];
  readonly settings: NodeSettings;
  /** Grows with each change of policies and groups. */
  readonly revision: number;
}

export interface ComingOptions {
  /** Who uses the node; the plan knows the service addresses. */
  readonly observe: (plan: NodePlan) => Promise<NodeUse>;
  readonly log: Logger;
  readonly clock: SteadyClock;
  /** `status` says something else. */
  readonly onChange: () => void;
  readonly againMilliseconds?: number;
}

/**
 * One look for each revision, and another where what is in force, or a group, has changed since: at most one a minute. Connections
 * come and go all day, so what stands in status is as old as its `at` says.
 */
export function coming({ observe, log, clock, onChange, againMilliseconds = 60_000 }: ComingOptions): Coming {
  const { now } = clock;
  const at = () => new Date(clock.wallOf(now())).toISOString();
  const bell = wake();
  let view: ComingView | undefined;
  let waiting: readonly Revision[] = [];
  let answers: readonly ComingOnNode[] = [];
  /** Revisions that this process has looked at. */
  let looked: readonly Revision[] = [];
  let dueAt = Number.POSITIVE_INFINITY;
  let busy = false;

  const isOf = (a: Revision, b: Revision) => a.name === b.name && a.hash === b.hash;
  const unlooked = () => waiting.some((one) => !looked.some((known) => isOf(known, one)));

  async function look(seen: ComingView): Promise<void> {
    const found = await judgeWaiting(seen, observe, at());
    looked = found;
    const kept = found.map((one) => {
      const before = answers.find((known) => isOf(known, one));
      // What was seen again is no news, and when is not worth a write.
      return before !== undefined && isDeepStrictEqual({ ...before, at: "" }, { ...one, at: "" }) ? before : one;
    });
    if (isDeepStrictEqual(kept, answers)) return;
    answers = kept;
  }

  return {
    follow(next) {
      const same =
        view !== undefined &&
        view.revision === next.revision &&
        view.settling === next.settling &&
        view.settings === next.settings &&
        view.held?.plan === next.held?.plan &&
        isDeepStrictEqual(view.waiting, next.waiting);
      view = next;
      if (same) return;
      waiting = next.waiting.flatMap((element) => readRevision(element) ?? []);
      looked = looked.filter((one) => waiting.some((other) => isOf(one, other)));
      if (next.settling || waiting.length === 0) dueAt = Number.POSITIVE_INFINITY;
      else dueAt = unlooked() ? 0 : now() + againMilliseconds;
      bell.ring();
    },
    remember(before) {
      answers = before;
    },
    status: () => answers.filter((one) => waiting.some((other) => isOf(one, other))),
    looking: () => busy || now() >= dueAt,
    async run(signal) {
      while (!signal.aborted) {
        const seen = view;
        if (seen !== undefined && now() >= dueAt) {
          dueAt = Number.POSITIVE_INFINITY;
          busy = true;
          try {
            await look(seen);
          } catch (err) {
            dueAt = now() + againMilliseconds;
            log.warn({ err }, "who uses the node is not known, so nobody can say what a revision would cut");
            const when = at();
            answers = waiting.map(
              (one) => answers.find((known) => isOf(known, one)) ?? unknownOnNode(one, messageOf(err), when),
            );
          } finally {
            busy = false;
          }
          onChange();
        }
        await bell.sleep(dueAt - now(), signal);
      }
    },
  };
}

type Judged = ComingOnNode | { readonly revision: Revision; readonly after: NodePlan };

/** Each by itself, on top of what is in force. What cannot be judged before the controller has published more is left out. */
async function judgeWaiting(
  { waiting, held, groups, settings }: ComingView,
  observe: ComingOptions["observe"],
  at: string,
): Promise<ComingOnNode[]> {
  const before = held?.plan ?? merge([], [], settings);
  const all = waiting.flatMap((element): Judged[] => {
    const revision = readRevision(element);
    if (revision === undefined) return [];
    if (!hasPlan(element)) return [unknownOnNode(revision, "its plan did not fit into the NodeState", at)];
    try {
      const policy = parseAssigned(element);
      const policies = [...(held?.policies ?? []).filter(({ name }) => name !== policy.name), policy];
      const used = keepGroups(policies, groups, held?.groups ?? []);
      const plan = merge(policies, used.groups, settings);
      return addressesMissing({ plan, groups: used.groups }, undefined) === undefined
        ? [{ revision, after: plan }]
        : [];
    } catch (error) {
      return [unknownOnNode(revision, messageOf(error), at)];
    }
  });
  const plans = all.flatMap((one) => ("after" in one ? [one.after] : []));
  const [first] = plans;
  if (first === undefined) return all.flatMap((one) => ("after" in one ? [] : [one]));
  const use = await observe(plans.find(({ vipCidrs }) => vipCidrs.length > 0) ?? first);
  return all.map((one) =>
    "after" in one ? comingOnNode(one.revision, useJudge(before, one.after)(use), use.gaps, at) : one,
  );
}

function hasPlan(element: unknown): boolean {
  return typeof element === "object" && element !== null && "plan" in element;
}
