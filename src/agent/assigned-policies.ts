import { parseAssigned } from "../plan/parse-plan.ts";
import { UnknownPlanFormatError } from "../plan/plan-errors.ts";
import type { AssignedPolicy } from "../plan/types.ts";

/** An element of NodeState.spec.policies as status names it. */
export interface PolicyRevision {
  readonly name: string;
  readonly uid: string;
  readonly hash: string;
}

/** An element that this agent cannot read, or that was rolled back. */
export interface RefusedPolicy extends PolicyRevision {
  readonly state: "Failed" | "RolledBack";
  readonly reason: string;
  readonly message: string;
}

export interface AssignedPolicies {
  /** What to enforce: the good elements, and for each refused one the last good element of its name. */
  readonly policies: readonly AssignedPolicy[];
  /** Every element that can be read. */
  readonly read: readonly AssignedPolicy[];
  /** Every element that has a name, good or not. */
  readonly revisions: readonly PolicyRevision[];
  readonly refused: readonly RefusedPolicy[];
  /** Why elements without a usable name were left out. */
  readonly nameless: readonly string[];
}

interface ReadOptions {
  /** Nobody knows what was enforced last. */
  readonly lost?: boolean;
  /** Policies of which the NodeState does not say yet what shall become of them: what was enforced of them stays. */
  readonly keep?: readonly string[] | undefined;
  /** Why a revision was rolled back and is not to be tried again; undefined: it was not. */
  readonly rolledBack?: (policy: AssignedPolicy) => string | undefined;
}

/** Reads each element by itself, so that a malformed one hurts only itself. `before` is what was enforced last. */
export function readAssignedPolicies(
  elements: readonly unknown[],
  before: readonly AssignedPolicy[],
  { lost = false, keep = [], rolledBack = () => undefined }: ReadOptions = {},
): AssignedPolicies {
  const policies: AssignedPolicy[] = [];
  const read: AssignedPolicy[] = [];
  const revisions: PolicyRevision[] = [];
  const refused: RefusedPolicy[] = [];
  const nameless: string[] = [];
  for (const [index, element] of elements.entries()) {
    try {
      const policy = parseAssigned(element);
      const { name, uid, hash } = policy;
      read.push(policy);
      const message = rolledBack(policy);
      revisions.push({ name, uid, hash });
      if (message === undefined) policies.push(policy);
      else {
        policies.push(...before.filter((kept) => kept.name === name));
        refused.push({ name, uid, hash, state: "RolledBack", reason: "RolledBack", message });
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const revision = readRevision(element);
      if (revision === undefined) {
        nameless.push(`policies[${index}]: ${why}`);
        continue;
      }
      const kept = before.find(({ name }) => name === revision.name);
      if (kept !== undefined) policies.push(kept);
      revisions.push(revision);
      const none = lost ? "what an agent before this one enforced of it stays" : "nothing of it is enforced";
      const fate = kept === undefined ? none : `revision ${kept.hash} stays enforced`;
      const reason = error instanceof UnknownPlanFormatError ? "UnknownPlanFormat" : "PlanUnreadable";
      refused.push({ ...revision, state: "Failed", reason, message: `${why}; ${fate}` });
    }
  }
  const named = new Set(revisions.map(({ name }) => name));
  for (const kept of before) {
    if (!keep.includes(kept.name) || named.has(kept.name)) continue;
    policies.push(kept);
    revisions.push({ name: kept.name, uid: kept.uid, hash: kept.hash });
  }
  return { policies, read, revisions, refused, nameless };
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HASH = /^[0-9a-f]{1,64}$/;

/** Only values that status may hold: one that the API server refuses would cost the whole status. */
export function readRevision(element: unknown): PolicyRevision | undefined {
  if (typeof element !== "object" || element === null) return undefined;
  const { name, uid, hash } = element as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  return {
    name,
    uid: typeof uid === "string" ? uid.slice(0, 64) : "",
    hash: typeof hash === "string" && HASH.test(hash) ? hash : "0",
  };
}
