import type { ApplyResult, DriftEvent, Kernel } from "../kernel/kernel.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import type { RuleSet } from "../render/types.ts";
import { repairPace } from "./repair-pace.ts";

/** One change by somebody else that was put right. */
export interface Repair {
  readonly at: number;
  readonly by: string | undefined;
  readonly what: readonly string[];
  readonly milliseconds: number;
}

/** The kernel does not match, and why that is not mended yet. */
export interface Mismatch {
  readonly by: string | undefined;
  readonly differences: readonly string[];
  /** Why the last look or repair failed, in the tool's words. */
  readonly error: unknown;
  /** When the next repair is due. */
  readonly until: number;
}

export interface DriftGuard {
  /** Somebody touched our tables: the next `check` looks at once. */
  noticed(event: DriftEvent): void;
  /** The kernel was read back right this moment. */
  confirmed(): void;
  /** The next `check` looks at once, for the reason that an apply failed. */
  suspect(): void;
  /** Looks where a look is due, and repairs. Returns the repair it made. */
  check(rules: RuleSet): Promise<(Repair & { readonly result: ApplyResult }) | undefined>;
  readonly mismatch: Mismatch | undefined;
  /** When all of it, entries of sets too, was last found right. */
  readonly verifiedAt: number | undefined;
  /** Repairs that did not hold, and by whom; undefined where repairs hold. */
  fight(): { readonly repairs: number; readonly by: string | undefined } | undefined;
  wakeAt(): number;
}

export interface DriftGuardOptions {
  readonly kernel: Pick<Kernel, "verify" | "apply">;
  readonly now: () => number;
  readonly headersEveryMilliseconds?: number;
  readonly fullEveryMilliseconds?: number;
}

/** Looks are at most this part of the time, however many events come: 1 in 5. */
const REST_PER_LOOK = 4;
const RETRY = { firstMilliseconds: 1_000, limitMilliseconds: 60_000 };

export function driftGuard({
  kernel,
  now,
  headersEveryMilliseconds = 5_000,
  fullEveryMilliseconds = 60_000,
}: DriftGuardOptions): DriftGuard {
  const pace = repairPace();
  let event: DriftEvent | undefined;
  let mismatch: Mismatch | undefined;
  let lastBy: string | undefined;
  let verifiedAt: number | undefined;
  let nextOnEvent = 0;
  let nextHeaders = 0;
  let nextFull = 0;
  let failures = 0;

  const matches = (): void => {
    mismatch = undefined;
    failures = 0;
    nextHeaders = now() + headersEveryMilliseconds;
  };
  const fullMatch = (): void => {
    matches();
    verifiedAt = now();
    nextFull = verifiedAt + fullEveryMilliseconds;
  };
  const dueAt = (): number => {
    if (mismatch !== undefined) return mismatch.until;
    return Math.min(nextHeaders, nextFull, event === undefined ? Number.POSITIVE_INFINITY : nextOnEvent);
  };

  async function check(rules: RuleSet) {
    const start = now();
    if (start < dueAt()) return undefined;
    const cause = event;
    event = undefined;
    const seenAt = cause?.at ?? start;
    const by = cause?.by ?? mismatch?.by;
    let differences: readonly string[] = [];
    try {
      // On an event at once with the whole apply, which looks first: a verify before it would only cost time.
      if (cause === undefined || start < pace.notBefore(start)) {
        const depth = cause === undefined && start >= nextFull ? "Full" : "Headers";
        differences = await kernel.verify(rules, depth);
        if (differences.length === 0) {
          if (depth === "Full") fullMatch();
          else matches();
          return undefined;
        }
        const until = pace.notBefore(now());
        if (now() < until) {
          mismatch = { by, differences, error: undefined, until };
          return undefined;
        }
      }
      const result = await kernel.apply(rules);
      fullMatch();
      nextOnEvent = now() + REST_PER_LOOK * (now() - start);
      // An event about others' rules only, or whoever took ours away has put them back.
      if (result.unchanged) return undefined;
      nextOnEvent = 0;
      pace.repaired(now());
      lastBy = by;
      return { at: seenAt, by, what: result.differences, milliseconds: now() - seenAt, result };
    } catch (error) {
      failures += 1;
      const retryAt = now() + backoffMilliseconds(failures, RETRY);
      mismatch = { by, differences, error, until: Math.max(retryAt, pace.notBefore(now())) };
      return undefined;
    }
  }

  return {
    noticed(next) {
      event ??= next;
    },
    confirmed: fullMatch,
    suspect() {
      nextHeaders = 0;
    },
    check,
    get mismatch() {
      return mismatch;
    },
    get verifiedAt() {
      return verifiedAt;
    },
    fight() {
      const repairs = pace.fighting(now());
      return repairs === undefined ? undefined : { repairs, by: lastBy };
    },
    wakeAt: dueAt,
  };
}
