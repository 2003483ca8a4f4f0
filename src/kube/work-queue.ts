import { type BackoffBounds, backoffMilliseconds } from "./backoff.ts";

const BACKOFF: BackoffBounds = { firstMilliseconds: 100, limitMilliseconds: 60_000 };

export interface WorkQueueOptions<Key extends string> {
  /** One level-based pass: makes the world match for `key`, whatever has happened. Throwing means: again, after a while. */
  readonly reconcile: (key: Key, signal: AbortSignal) => Promise<void>;
  /** How many keys at once. Default 1. */
  readonly concurrency?: number;
  readonly onError?: (error: unknown, key: Key, retryInMilliseconds: number) => void;
  readonly backoff?: BackoffBounds;
}

/** Bounded by the number of keys: each waits at most once, whatever its number of additions. */
export interface WorkQueue<Key extends string> {
  /** Runs the key soon; while it runs: once more afterwards. Overrides a delay. */
  add(key: Key): void;
  /** As `add`, after a time; the earliest time asked for counts. */
  addAfter(key: Key, milliseconds: number): void;
  /** Runs until `signal` aborts; resolves when what was running has ended. Delays are dropped. */
  run(signal: AbortSignal): Promise<void>;
}

export function workQueue<Key extends string>({
  reconcile,
  concurrency = 1,
  onError,
  backoff = BACKOFF,
}: WorkQueueOptions<Key>): WorkQueue<Key> {
  /** In the order of their addition. */
  const waiting = new Set<Key>();
  const running = new Map<Key, Promise<void>>();
  const delayed = new Map<Key, { readonly due: number; readonly timer: NodeJS.Timeout }>();
  const failures = new Map<Key, number>();
  let active: AbortSignal | undefined;

  function add(key: Key) {
    clearTimeout(delayed.get(key)?.timer);
    delayed.delete(key);
    waiting.add(key);
    // Not within the caller's turn: what it adds in one go counts once.
    queueMicrotask(startWaiting);
  }

  function addAfter(key: Key, milliseconds: number) {
    if (active?.aborted) return;
    const due = performance.now() + milliseconds;
    const other = delayed.get(key);
    if (waiting.has(key) || (other !== undefined && other.due <= due)) return;
    clearTimeout(other?.timer);
    delayed.set(key, { due, timer: setTimeout(() => add(key), milliseconds) });
  }

  function startWaiting() {
    for (const key of waiting) {
      if (active === undefined || active.aborted || running.size >= concurrency) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      const signal = active;
      const started = Promise.resolve().then(() => pass(key, signal));
      running.set(key, started);
    }
  }

  async function pass(key: Key, signal: AbortSignal) {
    try {
      await reconcile(key, signal);
      failures.delete(key);
    } catch (error) {
      if (!signal.aborted) retry(key, error);
    } finally {
      running.delete(key);
      startWaiting();
    }
  }

  function retry(key: Key, error: unknown) {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    const milliseconds = backoffMilliseconds(count, backoff);
    onError?.(error, key, milliseconds);
    addAfter(key, milliseconds);
  }

  return {
    add,
    addAfter,
    async run(signal) {
      active = signal;
      startWaiting();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      for (const { timer } of delayed.values()) clearTimeout(timer);
      delayed.clear();
      await Promise.all(running.values());
    },
  };
}
