/** What is worth an Event in the status of a policy. Pure. */
import type { Condition } from "../api/condition.ts";
import { API_VERSION, POLICY_KIND } from "../api/group.ts";
import type { RolloutPhase } from "../api/rollout.ts";
import { AUDITED } from "./audit-summary.ts";
import type { Happening } from "./event-object.ts";
import type { PolicyFacts } from "./policy-facts.ts";

/** Ready's reasons that end a change, for good or ill; on the way there, and where nobody knows, there is nothing to tell. */
const OF_READY: Readonly<Record<string, Happening["type"]>> = {
  Enforced: "Normal",
  Observing: "Normal",
  NodesFailed: "Warning",
  PartlyEnforced: "Warning",
  AgentOutdated: "Warning",
  ControllerOutdated: "Warning",
  InvalidPolicy: "Warning",
  RolloutHalted: "Warning",
  RolloutPaused: "Normal",
  NoCanary: "Warning",
  ProgressDeadlineExceeded: "Warning",
};
const OF_AUDITED: Readonly<Record<string, Happening["type"]>> = {
  RequirementsMet: "Normal",
  RequirementsNotMet: "Warning",
};

export interface PolicyNews {
  readonly key: string;
  readonly since: string;
  readonly happening: Happening;
}

/** A roll-out that stood still, and goes on. Of a controller that did not see it stand nobody hears. */
export function resumedNews(before: PolicyFacts, { name, uid, status }: PolicyFacts): Happening[] {
  const [was, is] = [before.status?.rollout, status?.rollout];
  if (was === undefined || is === undefined || !stands(was.phase) || stands(is.phase)) return [];
  const regarding = { apiVersion: API_VERSION, kind: POLICY_KIND, name, uid };
  const note = `The roll-out goes on: ${status?.message ?? is.phase}`;
  return [
    { regarding, type: "Normal", reason: "RolloutResumed", action: "Enforce", note, identity: [was.since, is.since] },
  ];
}

function stands(phase: RolloutPhase): boolean {
  return phase === "Paused" || phase === "Halted" || phase === "Blocked";
}

/** How the policy stands since its last turn. */
export function policyNews({ name, uid, status }: PolicyFacts): PolicyNews[] {
  const conditions = status?.conditions ?? [];
  const find = (type: string) => conditions.find((condition) => condition.type === type);
  const [ready, stalled, audited] = [find("Ready"), find("Stalled"), find(AUDITED)];
  const regarding = { apiVersion: API_VERSION, kind: POLICY_KIND, name, uid };
  const tell = (
    condition: Condition | undefined,
    types: typeof OF_READY,
    action: Happening["action"],
    turns: readonly string[],
  ) => {
    const type = condition && types[condition.reason];
    if (condition === undefined || type === undefined) return [];
    const { reason, message } = condition;
    const since = turns.toSorted().at(-1) ?? condition.lastTransitionTime;
    const happening = { regarding, type, reason, action, note: message, identity: turns };
    return [{ key: [uid, reason, ...turns].join(" "), since, happening }];
  };
  // From Progressing to NodesFailed Ready stays False: it is Stalled that turns. From Progressing to paused neither does.
  const turns = [
    ...[ready, stalled].flatMap((condition) => condition?.lastTransitionTime ?? []),
    ...(status?.rollout !== undefined && stands(status.rollout.phase) ? [status.rollout.since] : []),
  ];
  return [
    ...tell(ready, OF_READY, "Enforce", turns),
    ...tell(audited, OF_AUDITED, "Audit", audited === undefined ? [] : [audited.lastTransitionTime]),
  ];
}

/** One for all findings that got no Event of their own, once in each `period`. */
export function sumUp({ name, uid, status }: PolicyFacts, period: number): Happening {
  const { summary = "findings", audited = 0 } = status?.audit ?? {};
  const note =
    `More findings than there are Events for: ${summary}, on ${audited} audited nodes. ` +
    "The most urgent ones of each node stand in its status: kubectl describe phnode NODE.";
  const regarding = { apiVersion: API_VERSION, kind: POLICY_KIND, name, uid };
  const identity = [String(period)];
  return { regarding, type: "Warning", reason: "FindingsSummedUp", action: "Audit", note, identity };
}
