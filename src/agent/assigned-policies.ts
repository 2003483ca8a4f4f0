import { parseAssigned } from "../plan/parse-plan.ts";
import { UnknownPlanFormatError } from "../plan/plan-errors.ts";
import type { AssignedPolicy } from "../plan/types.ts";

/** An element of NodeState.spec.policies as status names it. */
export interface PolicyRevision {
  readonly name: string;
  readonly uid: string;
  readonly hash: string;
}

/** An element that this agent cannot read. */
export interface RefusedPolicy extends PolicyRevision {
  readonly reason: string;
  readonly message: string;
}

export interface AssignedPolicies {
  /** What to enforce: the good elements, and for each refused one the last good element of its name. */
  readonly policies: readonly AssignedPolicy[];
  /** Every element that has a name, good or not. */
  readonly revisions: readonly PolicyRevision[];
  readonly refused: readonly RefusedPolicy[];
  /** Why elements without a usable name were left out. */
  readonly nameless: readonly string[];
}

/**
 * Reads each element by itself, so that a malformed one hurts only itself. `before` is what was enforced last; `lost`: nobody
 * knows what that was. Of it the policies named in `keep` stay, as the NodeState does not say yet what shall become of them.
 */
export function readAssignedPolicies(
  elements: readonly unknown[],
  before: readonly AssignedPolicy[],
  { lost = false, keep = [] }: { readonly lost?: boolean; readonly keep?: readonly string[] | undefined } = {},
): AssignedPolicies {
  const policies: AssignedPolicy[] = [];
  const revisions: PolicyRevision[] = [];
  const refused: RefusedPolicy[] = [];
  const nameless: string[] = [];
  for (const [index, element] of elements.entries()) {
    try {
      const policy = parseAssigned(element);
      policies.push(policy);
      revisions.push({ name: policy.name, uid: policy.uid, hash: policy.hash });
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
      refused.push({ ...revision, reason, message: `${why}; ${fate}` });
    }
  }
  const named = new Set(revisions.map(({ name }) => name));
  for (const kept of before) {
    if (!keep.includes(kept.name) || named.has(kept.name)) continue;
    policies.push(kept);
    revisions.push({ name: kept.name, uid: kept.uid, hash: kept.hash });
  }
  return { policies, revisions, refused, nameless };
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HASH = /^[0-9a-f]{1,64}$/;

/** Only values that status may hold: one that the API server refuses would cost the whole status. */
function readRevision(element: unknown): PolicyRevision | undefined {
  if (typeof element !== "object" || element === null) return undefined;
  const { name, uid, hash } = element as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  return {
    name,
    uid: typeof uid === "string" ? uid.slice(0, 64) : "",
    hash: typeof hash === "string" && HASH.test(hash) ? hash : "0",
  };
}
