import { expect, it } from "vitest";
import type { PolicyFacts } from "../../../src/controller/policy-facts.ts";
import { sumUps } from "../../../src/controller/sum-ups.ts";
import { noFindings } from "./audit-status.ts";
import { policyFacts } from "./facts.ts";

const fleet = (audited: number, unknown = 0): PolicyFacts => ({
  ...policyFacts("fleet"),
  status: {
    nodes: { selected: 1_000, enforced: 1_000, failed: 0, unknown },
    audit: { summary: "", audited, notMet: 0, findings: noFindings },
  },
});

it("sums up a policy once a period, and again in the next one", () => {
  const sums = sumUps();
  expect(sums.turn(fleet(1_000), 7, 0)).toBe("Now");
  expect(sums.turn(fleet(1_000), 7, 5_000)).toBe("Never");
  expect(sums.turn(fleet(1_000), 8, 10_000)).toBe("Now");
});

it("waits for every node that is alive to be audited", () => {
  const sums = sumUps();
  expect(sums.turn(policyFacts("fleet"), 7, 0)).toBe("Later");
  expect(sums.turn(fleet(939), 7, 5_000)).toBe("Later");
  expect(sums.turn(fleet(939, 61), 7, 10_000)).toBe("Now");
});

it("waits for a minute at most, also when the clock steps back", () => {
  const sums = sumUps();
  expect(sums.turn(fleet(1), 7, 0)).toBe("Later");
  expect(sums.turn(fleet(1), 7, 59_999)).toBe("Later");
  expect(sums.turn(fleet(1), 7, 60_000)).toBe("Now");
  expect(sums.turn(fleet(1), 8, 100_000)).toBe("Later");
  expect(sums.turn(fleet(1), 8, 50_000)).toBe("Now");
});

it("knows nothing of a policy that was made anew", () => {
  const sums = sumUps();
  expect(sums.turn(fleet(1_000), 7, 0)).toBe("Now");
  sums.forget("fleet");
  expect(sums.turn(fleet(1_000), 7, 0)).toBe("Now");
});
