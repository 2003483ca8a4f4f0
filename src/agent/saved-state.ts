import { isDeepStrictEqual } from "node:util";
import { backoffMilliseconds } from "../kube/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { LastApplied, StateDirectory } from "./state-directory.ts";

/** What was enforced last, in memory and on disk. A disk that refuses stops no enforcement; it is retried and said. */
export interface SavedState {
  /** What was enforced last, by this process or, from `load` on, by the one before. */
  readonly last: LastApplied;
  /** An agent before enforced something, and what it was cannot be read: another version wrote it, or the disk turned bits. */
  readonly lost: boolean;
  /** Reads the disk, the first time it is called. */
  load(): Promise<void>;
  remember(last: LastApplied): void;
  /** The same of what is on disk already. */
  adopt(last: LastApplied): void;
  /** Writes what is not on disk yet, where a try is due. */
  flush(): Promise<void>;
  wakeAt(): number;
  /** Why the last save failed. */
  readonly failure: unknown;
}

const RETRY = { firstMilliseconds: 1_000, limitMilliseconds: 60_000 };

export function savedState({
  directory,
  log,
  now,
}: {
  readonly directory: StateDirectory;
  readonly log: Logger;
  readonly now: () => number;
}): SavedState {
  let loaded = false;
  let lost = false;
  let last: LastApplied = { policies: [], groups: [] };
  let onDisk: LastApplied | undefined;
  let failure: { readonly error: unknown; readonly times: number; readonly retryAt: number } | undefined;

  return {
    get last() {
      return last;
    },
    get lost() {
      return lost;
    },
    async load() {
      if (loaded) return;
      loaded = true;
      try {
        const found = await directory.load();
        if (found.kind === "Found") {
          last = found.last;
          onDisk = found.last;
        } else if (found.kind === "Unusable") {
          lost = true;
          log.error({ reason: found.reason }, "saved state is unusable and was set aside; the kernel is left as it is");
        }
      } catch (err) {
        // The API server will say what to enforce; until then the kernel is left as it is.
        log.error({ err }, "saved state not read");
      }
    },
    remember(next) {
      last = next;
      lost = false;
      if (failure !== undefined) failure = { ...failure, retryAt: 0 };
    },
    adopt(next) {
      last = next;
      onDisk = next;
      lost = false;
      failure = undefined;
    },
    async flush() {
      // What is set aside says that something is unknown, until something is known.
      if (lost || last === onDisk || now() < (failure?.retryAt ?? 0)) return;
      if (onDisk !== undefined && isDeepStrictEqual(last, onDisk)) {
        onDisk = last;
        return;
      }
      const saving = last;
      try {
        await directory.save(saving);
        onDisk = saving;
        failure = undefined;
      } catch (error) {
        const times = (failure?.times ?? 0) + 1;
        const delay = backoffMilliseconds(times, RETRY);
        failure = { error, times, retryAt: now() + delay };
        log.error({ err: error, retryInMilliseconds: Math.round(delay) }, "state not saved");
      }
    },
    wakeAt: () => failure?.retryAt ?? Number.POSITIVE_INFINITY,
    get failure() {
      return failure?.error;
    },
  };
}
