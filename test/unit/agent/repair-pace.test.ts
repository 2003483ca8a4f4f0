import { describe, expect, it } from "vitest";
import { repairPace } from "../../../src/agent/repair-pace.ts";

/** Somebody who undoes each repair at once: the times at which it is repaired, as seconds. */
function fight(repairs: number): number[] {
  const pace = repairPace();
  const times: number[] = [];
  let now = 1_000_000;
  for (let i = 0; i < repairs; i += 1) {
    now = Math.max(now + 10, pace.notBefore(now));
    pace.repaired(now);
    times.push(now);
  }
  return times.slice(1).map((time, i) => Math.round((time - (times[i] ?? 0)) / 1000));
}

describe("repairPace", () => {
  it("repairs five times at once, then doubles the delay from 1 s to 60 s", () => {
    expect(fight(14)).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("never slows down repairs that hold", () => {
    const pace = repairPace();
    for (let now = 0; now < 3_600_000; now += 16_000) {
      expect(pace.notBefore(now)).toBe(0);
      pace.repaired(now);
    }
    expect(pace.fighting(3_600_000)).toBeUndefined();
  });

  it("says how many repairs did not hold", () => {
    const pace = repairPace();
    for (let i = 0; i < 6; i += 1) pace.repaired(i);
    expect(pace.fighting(6)).toBe(6);
  });

  it("forgets the fight once a repair has held for a minute longer than its delay", () => {
    const pace = repairPace();
    for (let i = 0; i < 6; i += 1) pace.repaired(i);
    expect(pace.fighting(61_900)).toBe(6);
    expect(pace.fighting(62_006)).toBeUndefined();
    expect(pace.notBefore(62_006)).toBe(0);
    pace.repaired(62_007);
    expect(pace.notBefore(62_007)).toBe(0);
  });
});
