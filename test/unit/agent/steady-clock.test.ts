import { expect, it } from "vitest";
import { steadyClock } from "../../../src/agent/steady-clock.ts";

const HOUR = 3_600_000;

it.each([HOUR, -HOUR])(
  "goes on evenly where the wall clock is set by %d ms, and tells moments by the one that is set",
  (jump) => {
    const time = { elapsed: 500, wall: Date.parse("2026-01-01T00:00:00Z") };
    const clock = steadyClock(
      () => time.elapsed,
      () => time.wall,
    );
    const start = clock.now();
    expect(start).toBe(time.wall);
    time.elapsed += 1_000;
    time.wall += 1_000 + jump;
    expect(clock.now() - start).toBe(1_000);
    expect(clock.wallOf(clock.now())).toBe(time.wall);
    expect(clock.wallOf(start)).toBe(time.wall - 1_000);
  },
);
