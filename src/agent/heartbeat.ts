import { sleep } from "../kube/sleep.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface HeartbeatOptions {
  readonly beat: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly everyMilliseconds?: number;
  readonly random?: () => number;
}

const RETRY_MILLISECONDS = 5_000;

/** Says "alive" at once and then about every minute, until `signal` aborts; independent of everything else. Never throws. */
export async function heartbeat(
  { beat, log, everyMilliseconds = 60_000, random = Math.random }: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let wait = everyMilliseconds;
    try {
      await beat(signal);
    } catch (err) {
      if (signal.aborted) return;
      wait = RETRY_MILLISECONDS;
      log.warn({ err }, "lease not renewed");
    }
    // Spread by a tenth either way, so that a fleet that started together drifts apart.
    await sleep(wait * (0.9 + 0.2 * random()), signal);
  }
}
