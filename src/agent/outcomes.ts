import type { AssignedPolicies, PolicyRevision } from "./assigned-policies.ts";
import type { Mismatch } from "./drift-guard.ts";
import type { Enforcement } from "./enforcement.ts";
import { evasionOutcome, type SeenEvasion } from "./hook-evasions.ts";
import type { PolicyOutcome } from "./node-status.ts";
import type { Remark } from "./port-remarks.ts";
import { bypassedOutcome } from "./services-ahead.ts";

/** Where the node stands between what is assigned and what the kernel holds. */
export interface Standing {
  readonly assigned: AssignedPolicies;
  /** What was read back from the kernel last. */
  readonly held: Enforcement | undefined;
  /** Why the kernel does not match `held` right now. */
  readonly mismatch: Mismatch | undefined;
  /** Why what is assigned could not be applied. */
  readonly failure: unknown;
  readonly priming: boolean;
  /** Why nothing new can be enforced for now. */
  readonly waiting?: { readonly reason: string; readonly message: string } | undefined;
  /** Where connections get past the rules, whatever they say. */
  readonly evasions: readonly SeenEvasion[];
  /** Services are answered where no rule sees it. */
  readonly bypassed: boolean;
  /** What is odd on this node about a policy that holds. */
  readonly remarksOf: (policy: string) => readonly Remark[];
}

type Outcome = Pick<PolicyOutcome, keyof PolicyRevision | "state" | "reason" | "message">;

/** One outcome for each assigned policy. Enforced means: this revision was read back, and nothing is known to have changed. */
export function outcomesOf({
  assigned,
  held,
  mismatch,
  failure,
  priming,
  waiting,
  evasions,
  bypassed,
  remarksOf,
}: Standing): Outcome[] {
  const inKernel = assigned.revisions.map(
    ({ name, uid, hash }) =>
      mismatch === undefined &&
      held?.policies.some((policy) => policy.name === name && policy.uid === uid && policy.hash === hash) === true,
  );
  // Only changed revisions are charged with a failed apply; where none changed (a group did), it may concern any.
  const chargeAll = failure !== undefined && inKernel.every((is) => is);
  return assigned.revisions.map((revision, index): Outcome => {
    const refused = assigned.refused.find(({ name }) => name === revision.name);
    if (refused !== undefined) return refused;
    if (inKernel[index] && !chargeAll) {
      const policy = bypassed ? held?.policies.find(({ name }) => name === revision.name) : undefined;
      const evaded = evasionOutcome(revision.name, evasions) ?? bypassedOutcome(policy);
      return {
        ...revision,
        ...(evaded ?? { state: "Enforced", ...remarks(revision.name, held, remarksOf(revision.name)) }),
      };
    }
    if (failure !== undefined) {
      return { ...revision, state: "Failed", reason: reasonOf(failure, "ApplyFailed"), message: messageOf(failure) };
    }
    if (mismatch !== undefined) return { ...revision, state: "Failed", ...describeMismatch(mismatch) };
    if (priming) {
      const message = "conntrack was not active: waiting until it knows the connections that are under way";
      return { ...revision, state: "Pending", reason: "Priming", message };
    }
    return { ...revision, state: "Pending", ...(waiting ?? { reason: "Applying", message: "not applied yet" }) };
  });
}

function remarks(
  name: string,
  held: Enforcement | undefined,
  ofNode: readonly Remark[],
): Pick<Outcome, "reason" | "message"> {
  const all = [...(held?.plan.warnings ?? []), ...(held?.keptWarnings ?? []), ...ofNode];
  const warnings = all.filter(({ policy }) => policy === name);
  const [first] = warnings;
  const mode = held?.policies.find((policy) => policy.name === name)?.mode;
  if (first === undefined) return { reason: mode === "Observe" ? "Observing" : "Enforced", message: "" };
  const messages = new Set(warnings.map(({ message }) => message));
  return { reason: first.reason, message: [...messages].join("; ") };
}

/** The class of an error in one word: `RestoreError` says `RestoreFailed`; a plain Error says `otherwise`. */
export function reasonOf(error: unknown, otherwise: string): string {
  if (error instanceof Error && "reason" in error && typeof error.reason === "string") return error.reason;
  const name = error instanceof Error ? error.name.replace(/Error$/, "") : "";
  return name === "" ? otherwise : `${name}Failed`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describeMismatch({ by, differences, error, until }: Mismatch): Pick<Outcome, "reason" | "message"> {
  const who = by === undefined ? "something" : by;
  const what = differences.length === 0 ? "" : `${who} changed it: ${differences.slice(0, 5).join("; ")}; `;
  const next = `next repair at ${new Date(until).toISOString()}`;
  if (error !== undefined)
    return { reason: reasonOf(error, "RepairFailed"), message: `${what}${messageOf(error)}; ${next}` };
  return { reason: "Drifted", message: `${what}${next}` };
}
