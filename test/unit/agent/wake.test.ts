import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { wake } from "../../../src/agent/wake.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function ended(sleep: Promise<void>): Promise<boolean> {
  let is = false;
  void sleep.then(() => {
    is = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return is;
}
const { signal } = new AbortController();

describe("wake", () => {
  it("ends a sleep at the first ring", async () => {
    const bell = wake();
    const sleep = bell.sleep(1000, signal);
    expect(await ended(sleep)).toBe(false);
    bell.ring();
    expect(await ended(sleep)).toBe(true);
  });

  it("remembers a ring that nobody heard, once however often it rang", async () => {
    const bell = wake();
    bell.ring();
    bell.ring();
    expect(await ended(bell.sleep(1000, signal))).toBe(true);
    expect(await ended(bell.sleep(1000, signal))).toBe(false);
  });

  it("ends after the time, also one longer than a timer takes", async () => {
    const bell = wake();
    const short = bell.sleep(1000, signal);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await ended(short)).toBe(true);
    expect(await ended(bell.sleep(0, signal))).toBe(true);
    expect(await ended(bell.sleep(2 ** 40, signal))).toBe(false);
    expect(await ended(wake().sleep(Number.POSITIVE_INFINITY, signal))).toBe(false);
  });

  it("ends with the signal, and at once where that is aborted already", async () => {
    const stop = new AbortController();
    const sleep = wake().sleep(Number.POSITIVE_INFINITY, stop.signal);
    stop.abort();
    expect(await ended(sleep)).toBe(true);
    expect(await ended(wake().sleep(1000, stop.signal))).toBe(true);
  });
});
