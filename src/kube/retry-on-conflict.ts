import { type BackoffBounds, backoffMilliseconds } from "./backoff.ts";
import { ConflictError } from "./errors.ts";
import { sleep } from "./sleep.ts";

const ATTEMPTS = 5;
const BACKOFF: BackoffBounds = { firstMilliseconds: 20, limitMilliseconds: 500 };

/** Runs `attempt`, which reads and then writes, again where another writer came between; the fifth ConflictError is thrown. */
export async function retryOnConflict<R>(attempt: () => Promise<R>, signal?: AbortSignal): Promise<R> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConflictError) || failures === ATTEMPTS) throw error;
    }
    await sleep(backoffMilliseconds(failures, BACKOFF), signal);
    signal?.throwIfAborted();
  }
}
