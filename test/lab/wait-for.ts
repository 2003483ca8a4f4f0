import { setTimeout as sleep } from "node:timers/promises";

/** A wait that ran out; the message says what was waited for and what was seen last. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
}

/**
 * Polls `probe` until it returns something other than undefined, and returns that. What the probe throws counts as
 * "not yet" and is told when time runs out, as is what `lastSeen` says.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  options: {
    readonly timeoutMilliseconds: number;
    readonly intervalMilliseconds?: number;
    readonly lastSeen?: () => string;
    /** Ends the wait with this error, for instance when the process waited for has died. */
    readonly giveUp?: () => Error | undefined;
  },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMilliseconds;
  let failure: unknown;
  for (;;) {
    const hopeless = options.giveUp?.();
    if (hopeless !== undefined) throw hopeless;
    try {
      const value = await probe();
      if (value !== undefined) return value;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      const seen = [options.lastSeen?.(), failure instanceof Error ? failure.message : undefined].filter(Boolean);
      const tail = seen.length > 0 ? `; last seen: ${seen.join("; ")}` : "";
      throw new WaitTimeoutError(`waited ${options.timeoutMilliseconds} ms for ${what}${tail}`, { cause: failure });
    }
    await sleep(options.intervalMilliseconds ?? 50);
  }
}
