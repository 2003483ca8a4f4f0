import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heartbeat } from "../../../src/agent/heartbeat.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const log = createLogger({ name: "agent", level: "fatal" });

describe("heartbeat", () => {
  it("beats at once, then every minute give or take a tenth", async () => {
    const stop = new AbortController();
    const beats: number[] = [];
    const start = Date.now();
    const options = { beat: async () => void beats.push(Date.now() - start), log };
    const ended = heartbeat({ ...options, random: () => (beats.length % 2 === 0 ? 1 : 0) }, stop.signal);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(beats).toEqual([0, 54_000, 120_000, 174_000]);
    stop.abort();
    await ended;
  });

  it("tries again soon after a failure, so that one lost request is no lost node", async () => {
    const stop = new AbortController();
    let beats = 0;
    const beat = async () => {
      beats += 1;
      throw new Error("connection refused");
    };
    const ended = heartbeat({ beat, log }, stop.signal);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toBeGreaterThan(10);
    stop.abort();
    await ended;
  });
});
