import { expect, it } from "vitest";
import { statusPace } from "../../../src/controller/status-pace.ts";

const rate = { burst: 3, intervalMilliseconds: 1_000 };

it("lets transitions follow each other at once, as long as the burst lasts, then one per interval", () => {
  const pace = statusPace(rate);
  const waits = [0, 0, 0, 0].map((now) => {
    const wait = pace.delay("Transition", now);
    if (wait === 0) pace.wrote(now);
    return wait;
  });
  expect(waits).toEqual([0, 0, 0, 1_000]);
  expect(pace.delay("Transition", 1_000)).toBe(0);
});

it("lets mere counts wait an interval after any write", () => {
  const pace = statusPace(rate);
  expect(pace.delay("Counts", 0)).toBe(0);
  pace.wrote(0);
  expect(pace.delay("Counts", 100)).toBe(900);
  expect(pace.delay("Transition", 100)).toBe(0);
  expect(pace.delay("Counts", 1_000)).toBe(0);
});

it("rests after a look that took long, but never longer than the interval", () => {
  const pace = statusPace(rate);
  pace.looked(20, 100);
  expect(pace.delay("Transition", 100)).toBe(80);
  expect(pace.delay("Transition", 180)).toBe(0);
  pace.looked(60_000, 200);
  expect(pace.delay("Transition", 200)).toBe(1_000);
});

it("goes on after the clock was set back", () => {
  const pace = statusPace(rate);
  pace.wrote(1_000_000);
  pace.looked(10, 1_000_000);
  expect(pace.delay("Counts", 0)).toBe(1_000);
  expect(pace.delay("Counts", 1_000)).toBe(0);
});
