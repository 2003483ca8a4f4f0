import fc from "fast-check";
import { expect, it } from "vitest";
import { clipped, listed } from "../../../../src/audit/updates/listed.ts";

it("names what fits and counts the rest", () => {
  expect(listed("2 pending", ["a", "b"])).toBe("2 pending: a, b");
  const many = Array.from({ length: 100 }, (_, index) => `package-${index}`);
  const text = listed("100 pending", many);
  const named = text.match(/package-\d+/g)?.length ?? 0;
  expect(text).toMatch(new RegExp(` and ${100 - named} more$`));
  expect(named).toBeGreaterThan(10);
});

it("never exceeds what a finding may hold", () => {
  const items = fc.array(fc.string({ maxLength: 250 }), { minLength: 1, maxLength: 80 });
  fc.assert(fc.property(items, (names) => listed(`${names.length} pending`, names).length <= 200));
  fc.assert(fc.property(fc.string({ maxLength: 1000 }), (text) => clipped(text).length <= 200));
});
