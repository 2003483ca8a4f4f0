import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../../src/controller/compiled-policy.ts";
import { desiredPolicies } from "../../../src/controller/desired-policies.ts";
import { nodeTarget } from "../../../src/controller/node-target.ts";
import type { PlanFormat } from "../../../src/plan/plan-formats.ts";
import { PLAN_FORMATS } from "../../../src/plan/plan-formats.ts";
import { laterFormat } from "../../cluster/skew/more-formats.ts";
import { nodeFacts, policyObject, stateFacts } from "./facts.ts";

const node = nodeFacts("n");
const [today] = PLAN_FORMATS;
if (today === undefined) throw new Error("this version has no plan format");
/** As a later release may have them: the one before has no words for audits. */
const formats: readonly PlanFormat[] = [
  laterFormat(3),
  { ...laterFormat(2), write: (plan) => (plan.audit === undefined ? laterFormat(2).write(plan) : undefined) },
];

function desired(
  planFormats: readonly number[] | undefined,
  spec: object = {},
  assigned: string | undefined = undefined,
) {
  const compiled = compilePolicy(policyObject("p", spec), { allowedSysctls: [] }, formats);
  const state = stateFacts("n", {
    agent: { version: "0.9.0", planFormats },
    assigned: assigned === undefined ? [] : [{ name: "p", uid: "uid-p", hash: assigned }],
  });
  const policies = desiredPolicies([compiled], node, state, [2, 3]);
  const of = policies.get("p");
  return { of, format: of !== undefined && "element" in of ? of.element.plan.format : undefined, policies, state };
}

describe("a plan is written", () => {
  it.each([
    ["the newest format that both know", [1, 2, 3, 4], 3],
    ["the newest of them where the agent is older", [1, 2], 2],
    ["the newest where the agent has said nothing yet", undefined, 3],
  ])("in %s", (_, reads, format) => {
    expect(desired(reads).format).toBe(format);
  });

  it("with a hash of its own in each format, and the same one wherever the format is the same", () => {
    const hash = (reads: readonly number[]) => {
      const { of } = desired(reads);
      return of !== undefined && "element" in of ? of.element.hash : undefined;
    };
    expect(hash([2])).not.toBe(hash([3]));
    expect(hash([2])).toBe(hash([1, 2]));
  });

  it("when roll-out lets it, where the agent was upgraded and reads a newer format now", () => {
    const { of } = desired([2]);
    const before = of !== undefined && "element" in of ? of.element.hash : "";
    const { policies, state } = desired([2, 3], {}, before);
    expect(nodeTarget(policies, state, () => undefined)).toMatchObject({ differs: false, set: [], keep: ["p"] });
    expect(nodeTarget(policies, state, () => "Awaited")).toMatchObject({
      differs: true,
      set: [{ plan: { format: 3 } }],
    });
  });
});

describe("a spec is left alone", () => {
  it.each([
    ["AgentOutdated", [1], "its agent (0.9.0) reads plan format 1, this controller writes 2 and 3: upgrade the agents"],
    [
      "AgentOutdated",
      [],
      "its agent (0.9.0) reads plan format none, this controller writes 2 and 3: upgrade the agents",
    ],
    [
      "ControllerOutdated",
      [4, 5],
      "its agent (0.9.0) reads plan format 4 and 5, this controller writes 2 and 3: upgrade the controller",
    ],
  ])("for %s where the agent reads %j", (skew, reads, problem) => {
    const { of, policies, state } = desired(reads, {}, "aa");
    expect(of).toEqual({ problem, skew });
    expect(nodeTarget(policies, state, () => "Awaited")).toMatchObject({
      set: [],
      keep: ["p"],
      remove: [],
      differs: false,
    });
  });

  it("of the policies alone that ask what the agent's format has no words for", () => {
    const { of } = desired([1, 2], { audit: {} });
    expect(of).toEqual({
      problem:
        "its agent (0.9.0) reads plan format 1 and 2, which has no words for what this policy asks: upgrade the agents",
      skew: "AgentOutdated",
    });
    expect(desired([1, 2, 3], { audit: {} }).format).toBe(3);
  });

  it("and loses a policy all the same that is gone: that takes no plan", () => {
    const state = stateFacts("n", {
      agent: { version: "0.9.0", planFormats: [1] },
      assigned: [{ name: "gone", uid: "u", hash: "aa" }],
    });
    const policies = desiredPolicies([], node, state, [2, 3]);
    expect(nodeTarget(policies, state, () => "Awaited")).toMatchObject({ remove: ["gone"], differs: true });
  });
});

it("writes today's only format with the plan as it is compiled", () => {
  const compiled = compilePolicy(policyObject("p"), { allowedSysctls: [] });
  expect(compiled).toMatchObject({ written: [{ format: 1 }] });
  if (compiled.outcome === "Compiled") expect(compiled.written[0]?.element).toEqual(compiled.element);
});
