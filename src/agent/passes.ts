import type { Kernel } from "../kernel/kernel.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import { sleep } from "../kube/sleep.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Reconciler } from "./reconciler.ts";
import type { SteadyClock } from "./steady-clock.ts";
import type { Wake } from "./wake.ts";

export interface PassesOptions {
  readonly reconciler: Pick<Reconciler, "reconcile" | "noticed">;
  readonly kernel: Pick<Kernel, "watch">;
  readonly bell: Wake;
  /** The reconciler's. */
  readonly clock: SteadyClock;
  readonly log: Logger;
}

const RETRY = { firstMilliseconds: 1_000, limitMilliseconds: 60_000 };

/** One pass after the other, at once where the bell rings or somebody touches the kernel, until `signal` aborts. */
export async function passes(
  { reconciler, kernel, bell, clock, log }: PassesOptions,
  signal: AbortSignal,
): Promise<void> {
  async function loop(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      let due: number;
      try {
        due = await reconciler.reconcile();
        failures = 0;
      } catch (err) {
        // Level-based: the next pass starts from what is there.
        failures += 1;
        due = clock.now() + backoffMilliseconds(failures, RETRY);
        log.error({ err }, "pass failed");
      }
      await bell.sleep(due - clock.now(), signal);
    }
  }

  /** Where the monitor cannot run (no nft), drift is found by polling. */
  async function watchDrift(): Promise<void> {
    while (!signal.aborted) {
      try {
        await kernel.watch(signal, (event) => {
          reconciler.noticed(event);
          bell.ring();
        });
      } catch (err) {
        log.error({ err }, "changes by others are found by polling only");
      }
      await sleep(RETRY.limitMilliseconds, signal);
    }
  }

  await Promise.all([loop(), watchDrift()]);
}

/** Runs all of them until `signal` aborts; where one of them throws, which is a defect, it ends the others, and rejects. */
export async function together(
  parts: readonly ((stop: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const defect = new AbortController();
  const stop = AbortSignal.any([signal, defect.signal]);
  const running = parts.map((part) => part(stop));
  try {
    await Promise.all(running);
  } finally {
    defect.abort();
    await Promise.allSettled(running);
  }
}
