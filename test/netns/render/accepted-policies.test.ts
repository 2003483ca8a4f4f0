import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAssigned } from "../../../src/plan/parse-plan.ts";
import { acceptedPolicies } from "../../hostile/accepted-policies.ts";
import { hostilePlans } from "../../hostile/hostile-plans.ts";
import { largestPolicies } from "../../hostile/largest.ts";
import { loadTogether } from "../../hostile/load-together.ts";
import { renderAssigned, renderPolicies } from "../../hostile/render-accepted.ts";
import { createLab, type Lab } from "../../lab/lab.ts";

const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
const COUNT = 80;

let lab: Lab;
beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab.close());

it(`the tools take what is rendered of any accepted policies, and print it back (SEED=${seed})`, async () => {
  const ruleSets = fc.sample(acceptedPolicies, { seed, numRuns: COUNT }).map(renderPolicies);
  expect(await loadTogether(await lab.addNamespace("any"), ruleSets)).toEqual([]);
});

it("the tools take the largest policies", async () => {
  const { blocks, limits } = largestPolicies;
  expect(
    await loadTogether(
      await lab.addNamespace("largest"),
      [blocks, limits].map((one) => renderPolicies([one])),
    ),
  ).toEqual([]);
});

it("the tools take every hostile plan that an agent takes", async () => {
  const ruleSets = hostilePlans(7, 12).flatMap(({ element }) => {
    try {
      return [renderAssigned([parseAssigned(element)])];
    } catch {
      // That it is refused for a reason is a unit test's claim.
      return [];
    }
  });
  const different = [...new Map(ruleSets.map((one) => [JSON.stringify(one), one])).values()];
  expect(different.length).toBeGreaterThan(100);
  expect(await loadTogether(await lab.addNamespace("plans"), different)).toEqual([]);
});
