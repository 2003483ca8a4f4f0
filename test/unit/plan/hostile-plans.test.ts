import { beforeAll, describe, expect, it } from "vitest";
import { readAssignedPolicies } from "../../../src/agent/assigned-policies.ts";
import { parseNodeState } from "../../../src/api/parse.ts";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { checkRuleSet } from "../../../src/kernel/ownership.ts";
import { parseAssigned } from "../../../src/plan/parse-plan.ts";
import { PlanCorruptError, UnknownPlanFormatError } from "../../../src/plan/plan-errors.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { type HostilePlan, hostilePlans } from "../../hostile/hostile-plans.ts";
import { mutations } from "../../hostile/mutations.ts";
import { renderAssigned } from "../../hostile/render-accepted.ts";
import { strangeLines } from "../../hostile/text-grammar.ts";

const seed = Number(process.env["SEED"] ?? 7);
const plans = hostilePlans(seed, 24);

/** undefined: refused, with an error that says where or why. Throws what is none of these errors. */
function parsed({ what, element }: HostilePlan): AssignedPolicy | undefined {
  try {
    return parseAssigned(element);
  } catch (error) {
    const clear = [SchemaError, PlanCorruptError, UnknownPlanFormatError].some((kind) => error instanceof kind);
    if (clear) return undefined;
    throw new Error(what, { cause: error });
  }
}

describe(`each of ${plans.length} hostile plans (SEED=${seed})`, () => {
  let accepted: { readonly what: string; readonly policy: AssignedPolicy }[];
  beforeAll(() => {
    accepted = plans.flatMap((one) => {
      const policy = parsed(one);
      return policy === undefined ? [] : [{ what: one.what, policy }];
    });
  });

  it("is refused with a clear error or taken as it is, its hash unchanged", () => {
    expect(plans.length).toBeGreaterThan(2000);
    expect(accepted.length).toBeGreaterThan(100);
    expect(plans.length - accepted.length).toBeGreaterThan(1000);
  });

  it("reaches the rules as nothing but data", () => {
    for (const { what, policy } of accepted) {
      const ruleSet = renderAssigned([policy]);
      expect(strangeLines(ruleSet), what).toEqual([]);
      expect(() => checkRuleSet(ruleSet), what).not.toThrow();
    }
  });

  it("hurts no other policy of the node", () => {
    const [good] = accepted;
    if (good === undefined) throw new Error("no plan was accepted");
    const elements = [good.policy, ...plans.map(({ element }) => element)];
    expect(readAssignedPolicies(elements, []).policies[0]).toEqual(good.policy);
  });
});

it("a NodeState with any of its fields mutated is read or refused as malformed", () => {
  const state = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningNodeState",
    metadata: { name: "node-1.example", uid: "u", generation: 3, labels: { a: "b" } },
    spec: {
      policies: [{ name: "workers", uid: "u", hash: "0123456789abcdef", priority: 0, mode: "Enforce", plan: {} }],
    },
    status: { observedGeneration: 3, policies: [{ name: "workers", hash: "0123456789abcdef", state: "Enforced" }] },
  };
  const read = mutations([state], { seed, perField: 40 }).map(({ what, text }) => {
    try {
      parseNodeState(JSON.parse(text));
      return true;
    } catch (error) {
      if (error instanceof SchemaError) return false;
      throw new Error(what, { cause: error });
    }
  });
  expect(new Set(read)).toEqual(new Set([true, false]));
});
