import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type WorkQueueOptions, workQueue } from "../../../src/kube/work-queue.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue whose passes end when the test says so. */
function controlled(options: Partial<WorkQueueOptions<string>> = {}) {
  const stop = new AbortController();
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<void>>();
  const queue = workQueue<string>({
    reconcile: (key) => {
      expect(open.has(key), `${key} runs twice at once`).toBe(false);
      started.push(key);
      const pass = Promise.withResolvers<void>();
      open.set(key, pass);
      return pass.promise;
    },
    ...options,
  });
  async function end(key: string, error?: Error) {
    const pass = open.get(key);
    open.delete(key);
    if (pass === undefined) throw new Error(`${key} does not run`);
    if (error === undefined) pass.resolve();
    else pass.reject(error);
    await vi.advanceTimersByTimeAsync(0);
  }
  return { queue, started, end, stop, running: queue.run(stop.signal) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

it("runs a key once, however often it was added before", async () => {
  const { queue, started, end } = controlled();
  for (const key of ["a", "b", "a", "b", "a"]) queue.add(key);
  await settle();
  await end("a");
  await end("b");
  expect(started).toEqual(["a", "b"]);
});

it("runs a key once more when it was added while it ran, never twice at once", async () => {
  const { queue, started, end } = controlled({ concurrency: 4 });
  queue.add("a");
  await settle();
  queue.add("a");
  queue.add("a");
  await settle();
  expect(started).toEqual(["a"]);
  await end("a");
  expect(started).toEqual(["a", "a"]);
  await end("a");
  expect(started).toEqual(["a", "a"]);
});

it("runs a key again that is added by its own pass", async () => {
  const stop = new AbortController();
  const passes: number[] = [];
  const queue = workQueue<string>({
    concurrency: 2,
    reconcile: async (key) => {
      passes.push(1);
      if (passes.length === 1) queue.add(key);
    },
  });
  void queue.run(stop.signal);
  queue.add("a");
  await settle();
  expect(passes).toHaveLength(2);
});

it("runs as many keys at once as it may", async () => {
  const { queue, started, end } = controlled({ concurrency: 2 });
  for (const key of ["a", "b", "c"]) queue.add(key);
  await settle();
  expect(started).toEqual(["a", "b"]);
  await end("a");
  expect(started).toEqual(["a", "b", "c"]);
});

it("retries a key that fails, each time later, and at once for a new reason", async () => {
  const retries: number[] = [];
  const { queue, started, end } = controlled({
    backoff: { firstMilliseconds: 100, limitMilliseconds: 300 },
    onError: (error, key, milliseconds) => {
      expect([error, key]).toEqual([new Error("broken"), "a"]);
      retries.push(milliseconds);
    },
  });
  queue.add("a");
  await settle();
  for (const full of [100, 200, 300, 300]) {
    const passes = started.length;
    await end("a", new Error("broken"));
    expect(retries.at(-1)).toBeGreaterThanOrEqual(full / 2);
    expect(retries.at(-1)).toBeLessThanOrEqual(full);
    await vi.advanceTimersByTimeAsync(full / 2 - 1);
    expect(started).toHaveLength(passes);
    await vi.advanceTimersByTimeAsync(full / 2 + 1);
    expect(started).toHaveLength(passes + 1);
  }
  await end("a", new Error("broken"));
  const passes = started.length;
  queue.add("a");
  await settle();
  expect(started).toHaveLength(passes + 1);

  await end("a");
  queue.add("a");
  await settle();
  await end("a", new Error("broken"));
  expect(retries.at(-1), "a success ends the row").toBeLessThanOrEqual(100);
});

it("runs a key after the earliest of the delays asked for, once", async () => {
  const { queue, started, end } = controlled();
  queue.addAfter("a", 1000);
  queue.addAfter("a", 200);
  queue.addAfter("a", 5000);
  await vi.advanceTimersByTimeAsync(199);
  expect(started).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(started).toEqual(["a"]);
  await end("a");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(started).toEqual(["a"]);
});

it("keeps what is added before it runs", async () => {
  const started: string[] = [];
  const queue = workQueue<string>({ reconcile: async (key) => void started.push(key) });
  queue.add("early");
  await settle();
  expect(started).toEqual([]);
  void queue.run(new AbortController().signal);
  await settle();
  expect(started).toEqual(["early"]);
});

it("ends after what was running, starts nothing more and leaves no timer", async () => {
  const { queue, started, end, stop, running } = controlled();
  let ended = false;
  void running.then(() => {
    ended = true;
  });
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 1000);
  await settle();
  stop.abort();
  await settle();
  expect(ended).toBe(false);
  await end("a", new Error("aborted"));
  queue.addAfter("d", 1000);
  await running;
  expect(started).toEqual(["a"]);
  expect(vi.getTimerCount()).toBe(0);
});
