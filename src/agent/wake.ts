/** A bell for one sleeper: rung while nobody sleeps, the next sleep ends at once. Any number of rings is one. */
export interface Wake {
  ring(): void;
  /** Ends at the first ring, after `milliseconds` (Infinity: never by time), or when `signal` aborts. Never throws. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Longer than this, setTimeout fires at once (Node: 2^31-1 ms). */
const LONGEST_TIMEOUT_MILLISECONDS = 2 ** 31 - 1;

export function wake(): Wake {
  let rung = false;
  let end: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      end?.();
    },
    async sleep(milliseconds, signal) {
      if (!rung && !signal.aborted && milliseconds > 0) {
        await new Promise<void>((resolve) => {
          const timer =
            milliseconds === Number.POSITIVE_INFINITY
              ? undefined
              : setTimeout(() => end?.(), Math.min(milliseconds, LONGEST_TIMEOUT_MILLISECONDS));
          end = () => {
            end = undefined;
            clearTimeout(timer);
            signal.removeEventListener("abort", onAbort);
            resolve();
          };
          const onAbort = end;
          signal.addEventListener("abort", onAbort, { once: true });
        });
      }
      rung = false;
    },
  };
}
