import fc from "fast-check";
import { expect, it } from "vitest";
import { backoffMilliseconds } from "../../../src/kube/backoff.ts";

const bounds = { firstMilliseconds: 250, limitMilliseconds: 30_000 };

it("doubles up to its limit", () => {
  const waits = [1, 2, 3, 7, 8, 9, 5000].map((failures) => backoffMilliseconds(failures, bounds, () => 1));
  expect(waits).toEqual([250, 500, 1000, 16_000, 30_000, 30_000, 30_000]);
});

it("is at least half of that, the rest by chance", () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), chance, (failures, random) => {
      const full = backoffMilliseconds(failures, bounds, () => 1);
      const wait = backoffMilliseconds(failures, bounds, () => random);
      expect(wait).toBeCloseTo(full / 2 + (full / 2) * random);
      expect(wait).toBeGreaterThanOrEqual(125);
    }),
  );
});
