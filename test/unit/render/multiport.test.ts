import fc from "fast-check";
import { expect, it } from "vitest";
import { renderMultiport } from "../../../src/render/multiport.ts";

const ports = fc.integer({ min: 1, max: 65535 });
const range = fc.tuple(ports, ports).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

it("uses at most 15 slots a rule and keeps every range, in order", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 64 }), (ranges) => {
      const rules = renderMultiport(ranges).map((text) => text.split(","));
      for (const rule of rules)
        expect(rule.reduce((sum, item) => sum + (item.includes(":") ? 2 : 1), 0)).toBeLessThanOrEqual(15);
      const back = rules.flat().map((item) => item.split(":").map(Number));
      expect(back).toEqual(ranges.map(({ from, to }) => (from === to ? [from] : [from, to])));
    }),
  );
});

it("makes no rule for no ports", () => {
  expect(renderMultiport([])).toEqual([]);
});
