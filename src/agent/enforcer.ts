import { isDeepStrictEqual } from "node:util";
import type { ApplyResult, Kernel } from "../kernel/kernel.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Commit } from "./commit.ts";
import { NotArmedError, RolledBackError } from "./commit-errors.ts";
import type { Enforcement } from "./enforcement.ts";
import type { Target } from "./target.ts";

export type ReachableTarget = Exclude<Target, { kind: "Keep" }>;

/** Brings the kernel to a target, with priming before the first judgement and backoff after failures. */
export interface Enforcer {
  /** Sets the target. One that differs forgets failures and their backoff. */
  aim(target: ReachableTarget): void;
  /** What `complete` adds to the target has grown: it is not reached any more. */
  again(): void;
  /** Does what is due. True where the target was reached by this call. */
  reach(): Promise<boolean>;
  /** When `reach` has something to do next. */
  wakeAt(): number;
  readonly target: ReachableTarget | undefined;
  /** What was applied last and read back. */
  readonly held: Enforcement | undefined;
  /** Why the target could not be reached yet. */
  readonly failure: unknown;
  readonly priming: boolean;
}

export interface EnforcerOptions {
  readonly kernel: Pick<Kernel, "clear" | "facts" | "prime">;
  readonly commit: Pick<Commit, "apply" | "cleared">;
  readonly log: Logger;
  readonly now: () => number;
  readonly primeMilliseconds: number;
  /** Whether traffic was judged before this process began: then nothing is enforced for the first time. */
  readonly judgedBefore: () => boolean;
  /** Adds what does not come of policies; see `existing.ts`. */
  readonly complete: (enforcement: Enforcement) => Promise<Enforcement>;
  /** Just before rules are replaced: their counters are lost then. */
  readonly beforeReplace: () => Promise<void>;
  readonly onApplied: (result: ApplyResult) => void;
  readonly onFailed: () => void;
}

const RETRY = { firstMilliseconds: 1_000, limitMilliseconds: 60_000 };

const NOT_ARMED_RETRY_MILLISECONDS = 2_000;

export function enforcer(options: EnforcerOptions): Enforcer {
  const { kernel, log, now } = options;
  let target: ReachableTarget | undefined;
  let reached = false;
  let held: Enforcement | undefined;
  let primeUntil: number | undefined;
  let failure: { readonly error: unknown; readonly times: number; readonly retryAt: number } | undefined;

  /** UDP flows under way are unknown to a conntrack that just began, and would be judged as new ones (DESIGN 6). */
  async function mustPrime({ plan }: Enforcement): Promise<boolean> {
    if (!judges(plan) || (held !== undefined && judges(held.plan)) || options.judgedBefore()) return false;
    if (primeUntil === undefined) {
      if ((await kernel.facts()).conntrackActive) return false;
      await kernel.prime();
      primeUntil = now() + options.primeMilliseconds;
      log.info({ milliseconds: options.primeMilliseconds }, "priming conntrack before the first enforcement");
    }
    return now() < primeUntil;
  }

  async function apply(aim: Enforcement): Promise<boolean> {
    if (await mustPrime(aim)) return false;
    const enforcement = await options.complete(aim);
    if (held !== undefined && !isDeepStrictEqual(held.rules, enforcement.rules)) await options.beforeReplace();
    const result = await options.commit.apply(enforcement, aim.rules);
    held = enforcement;
    options.onApplied(result);
    log.info(
      {
        policies: enforcement.policies.map(({ name, hash }) => `${name}@${hash}`),
        unchanged: result.unchanged,
        differences: result.differences.slice(0, 20),
        milliseconds: Math.round(result.milliseconds),
      },
      "policies enforced",
    );
    return true;
  }

  async function clear(): Promise<boolean> {
    await options.beforeReplace();
    await kernel.clear();
    await options.commit.cleared();
    held = undefined;
    log.info("node cleared: no policy is assigned");
    return true;
  }

  return {
    aim(next) {
      if (isDeepStrictEqual(next, target)) return;
      target = next;
      reached = false;
      failure = undefined;
    },
    again() {
      reached = false;
    },
    async reach() {
      if (target === undefined || reached || now() < (failure?.retryAt ?? 0)) return false;
      try {
        reached = target.kind === "Clear" ? await clear() : await apply(target.enforcement);
        failure = undefined;
        if (reached) primeUntil = undefined;
        return reached;
      } catch (error) {
        const times = (failure?.times ?? 0) + 1;
        const delay = delayAfter(error, times);
        failure = { error, times, retryAt: now() + delay };
        options.onFailed();
        log.error({ err: error, times, retryInMilliseconds: Math.round(delay) }, "policies not enforced");
        return false;
      }
    },
    wakeAt() {
      if (target === undefined || reached) return Number.POSITIVE_INFINITY;
      return failure?.retryAt ?? primeUntil ?? 0;
    },
    get target() {
      return target;
    },
    get held() {
      return held;
    },
    get failure() {
      return failure?.error;
    },
    get priming() {
      return primeUntil !== undefined && failure === undefined && now() < primeUntil;
    },
  };
}

/** What was rolled back waits until it is another target; what waits for a guard or for room on the disk is soon tried again. */
function delayAfter(error: unknown, times: number): number {
  if (error instanceof RolledBackError) return Number.POSITIVE_INFINITY;
  if (error instanceof NotArmedError) return NOT_ARMED_RETRY_MILLISECONDS;
  return backoffMilliseconds(times, RETRY);
}

/** What is observed is judged too: a policy that is tried out is enforced soon, and then nothing is left to prime. */
function judges({ inbound, outbound, observed }: NodePlan): boolean {
  return inbound.length + outbound.length + (observed?.inbound.length ?? 0) + (observed?.outbound.length ?? 0) > 0;
}
