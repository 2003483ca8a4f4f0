import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAssigned, parseAssigned } from "../../../src/plan/parse-plan.ts";
import { UnknownPlanFormatError } from "../../../src/plan/plan-errors.ts";
import { numbersOf, PLAN_FORMATS } from "../../../src/plan/plan-formats.ts";
import { assign } from "../../../src/plan/plan-hash.ts";
import { PLAN_FORMAT } from "../../../src/plan/types.ts";
import { laterFormat } from "../../cluster/skew/more-formats.ts";
import { keptPolicy } from "./kept/policy.ts";
import { anySpec, assigned, planOf, policy } from "./policies.ts";

const kept = (format: number): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, "kept", `format-${format}.json`), "utf8"));

describe("plan formats", () => {
  it("begin with the newest, and are no more than two: a release keeps the one before", () => {
    const numbers = PLAN_FORMATS.map(({ format }) => format);
    expect(numbers[0]).toBe(PLAN_FORMAT);
    expect(numbersOf(PLAN_FORMATS)).toEqual(numbers.toReversed());
    expect(numbers.length).toBeLessThanOrEqual(2);
  });

  // Where this fails, agents of a release that is out would refuse plans, or a disk of theirs be unreadable: a new format is due.
  it.each(numbersOf(PLAN_FORMATS))("still read what was written in format %i", (format) => {
    const { written: _, hash: __, ...read } = parseAssigned(kept(format));
    const { hash: ___, ...now } = assigned(keptPolicy, "kept");
    expect(read).toEqual(now);
  });

  // Where this fails, an upgrade rolls every policy out anew, on every node: that may be right, and then belongs into the changelog.
  it.each(PLAN_FORMATS.map(({ format, write }) => [format, write] as const))(
    "still give a policy the revision that it had in format %i",
    (format, write) => {
      const written = write(planOf(keptPolicy));
      expect(written && assign(policy(keptPolicy, "kept"), written)).toEqual(kept(format));
    },
  );

  it.each([...PLAN_FORMATS, laterFormat(2)].map((format) => [format.format, format] as const))(
    "give back what was written in format %i, as it was meant and as it was written",
    (_, format) => {
      fc.assert(
        fc.property(anySpec, (spec) => {
          const plan = planOf(spec);
          const written = format.write(plan);
          if (written === undefined) return;
          const element = JSON.parse(JSON.stringify(assign(policy(spec), written)));
          const read = parseAssigned(element, [format]);
          expect(read.plan).toEqual(plan);
          expect(formatAssigned(read)).toEqual(element);
          expect(parseAssigned(formatAssigned(read), [format])).toEqual(read);
        }),
        { numRuns: 50 },
      );
    },
  );
});

describe("a plan in a format that is not read", () => {
  const refuse = (format: unknown, read: readonly number[]) => () =>
    parseAssigned({ name: "workers", plan: { format } }, read.map(laterFormat));
  it.each([
    [4, [2, 3], "plan of policy workers has format 4; this agent reads 2 and 3: upgrade the agents"],
    [1, [2, 3], "plan of policy workers has format 1; this agent reads 2 and 3: upgrade the controller"],
    ["4", [2], 'plan of policy workers has format "4"; this agent reads 2: upgrade the agents'],
  ])("%j is refused by one that reads %j, and says who is too old", (format, read, message) => {
    expect(refuse(format, read)).toThrow(UnknownPlanFormatError);
    expect(refuse(format, read)).toThrow(message);
  });
});
