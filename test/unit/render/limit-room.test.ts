import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodeRateLimit } from "../../../src/plan/node-plan.ts";
import type { LimitUnit } from "../../../src/plan/types.ts";
import { limitTables } from "../../../src/render/hashlimit.ts";
import { limitRoom } from "../../../src/render/limit-room.ts";
import { render } from "../../../src/render/render.ts";
import { everything } from "./everything.ts";

const whole = { ipv4: 32, ipv6: 128 };

function limit(newConnections: NodeRateLimit["newConnections"], prefixLength = whole): NodeRateLimit {
  return {
    policy: "limits",
    name: "rate",
    hash: "01234567",
    ports: [{ from: 1024, to: 65535 }],
    protocols: ["TCP"],
    interfaces: { include: [], exclude: [] },
    exempt: { sets: {} },
    prefixLength,
    newConnections,
  };
}

const rate = (count: number, per: LimitUnit, burst: number) => ({ limit: count, per, burst });
const minute = rate(1, "Minute", 1);

describe("the table of a limit has room", () => {
  it.each([
    ["for one source, where all are counted together", limit(minute, { ipv4: 0, ipv6: 0 }), [1, 1]],
    ["for every source that can be, where these are few", limit(minute, { ipv4: 8, ipv6: 12 }), [256, 4096]],
    [
      "for as many as the kernel's own, where a source is soon forgotten",
      limit(rate(10, "Second", 1)),
      [65_536, 65_536],
    ],
    ["for those that come in the time of a burst", limit(rate(10, "Minute", 20)), [131_072, 131_072]],
    [
      "for no more than memory allows, where a source is remembered for a day",
      limit(rate(1, "Day", 1)),
      [262_144, 262_144],
    ],
  ])("%s", (_what, one, [v4, v6]) => {
    expect(limitTables({ rateLimits: [one] }).map(({ max }) => max)).toEqual([{ 4: v4, 6: v6 }]);
  });

  it("of the same size in rules and in metrics, in each family", () => {
    const one = limit(minute, { ipv4: 16, ipv6: 64 });
    const [table] = limitTables({ rateLimits: [one] });
    for (const { family, chains } of render({ ...everything, inbound: [], rateLimits: [one] }).tables) {
      const rules = chains.flatMap(({ rules: all }) => all).join("\n");
      if (rules.includes("hashlimit")) expect(rules).toContain(`--hashlimit-htable-max ${table?.max[family]} `);
    }
    expect(table?.max).toEqual({ 4: 65_536, 6: 65_536 });
  });

  it("that the kernel grants: at most its own bound, and not fewer sources than buckets", () => {
    const units = fc.constantFrom<LimitUnit>("Second", "Minute", "Hour", "Day");
    const count = fc.integer({ min: 1, max: 10_000 });
    const prefixes = fc.record({ ipv4: fc.integer({ min: 0, max: 32 }), ipv6: fc.integer({ min: 0, max: 128 }) });
    const property = fc.property(count, units, count, prefixes, (allowed, per, burst, prefixLength) => {
      for (const family of [4, 6] as const) {
        const { sources, buckets } = limitRoom(limit(rate(allowed, per, burst), prefixLength), family);
        expect([sources, buckets].every(Number.isInteger)).toBe(true);
        expect(buckets).toBeGreaterThanOrEqual(1);
        expect(sources).toBeGreaterThanOrEqual(buckets);
        expect(sources).toBeLessThanOrEqual(1_048_576);
      }
    });
    fc.assert(property);
  });
});
