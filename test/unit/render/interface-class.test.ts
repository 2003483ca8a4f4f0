import fc from "fast-check";
import { expect, it } from "vitest";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import type { InterfaceMatch } from "../../../src/plan/types.ts";
import { interfaceClasses } from "../../../src/render/interface-class.ts";
import { everything } from "./everything.ts";

const patterns = fc.constantFrom("e+", "eth+", "eth0", "eth1", "eth1+", "eth10", "wg0", "wg+");
const match: fc.Arbitrary<InterfaceMatch> = fc.record({
  include: fc.uniqueArray(patterns, { maxLength: 3 }),
  exclude: fc.uniqueArray(patterns, { maxLength: 2 }),
});
const [template] = everything.inbound;
if (!template) throw new Error("fixture without policy");

/** What iptables does with one `-i PATTERN`. */
const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

function planWith(interfaces: readonly InterfaceMatch[]): NodePlan {
  const inbound = interfaces.map((one, index) => ({ ...template, policy: `p${index}`, interfaces: one }));
  return { ...everything, inbound: inbound as NodePlan["inbound"], rateLimits: [] };
}

it("judges a packet by exactly the policies whose interfaces it came in by", () => {
  fc.assert(
    fc.property(
      fc.array(match, { minLength: 1, maxLength: 4 }),
      fc.constantFrom("eth0", "eth1", "eth10", "eth100", "ens3", "wg0", "wg1", "bond0"),
      (interfaces, name) => {
        const plan = planWith(interfaces);
        const classes = interfaceClasses(plan.inbound, plan.rateLimits);
        const hit = classes.find(({ pattern }) => pattern === undefined || matches(pattern, name));
        const expected = plan.inbound.filter(
          ({ interfaces: { include, exclude } }) =>
            (include.length === 0 || include.some((one) => matches(one, name))) &&
            !exclude.some((one) => matches(one, name)),
        );
        expect(hit?.scopes.map(({ policy }) => policy)).toEqual(expected.map(({ policy }) => policy));
      },
    ),
    { numRuns: 2000 },
  );
});

it("makes one class where no policy names an interface", () => {
  expect(interfaceClasses(planWith([{ include: [], exclude: [] }]).inbound, [])).toHaveLength(1);
});
