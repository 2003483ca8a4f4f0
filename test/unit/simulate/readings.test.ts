import fc from "fast-check";
import { expect, it } from "vitest";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { render } from "../../../src/render/render.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { arbitraryCase } from "../../differential/arbitrary-case.ts";
import { foretell, renderCase } from "../../differential/three-readings.ts";
import { anyAssigned, someGroups } from "../plan/policies.ts";

it("agrees with a plain reading of the policies about every packet (test/netns asks the kernel too)", () => {
  fc.assert(
    fc.property(arbitraryCase(20), (one) => {
      const found = foretell(renderCase(one.policies, one.world), one);
      expect(found.flatMap(({ differs }) => differs ?? [])).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

it("understands all that is rendered of any policies", () => {
  fc.assert(
    fc.property(anyAssigned, (policies) => {
      expect(() => simulator(render(merge(policies, someGroups, DEFAULT_NODE_SETTINGS)))).not.toThrow();
    }),
    { numRuns: 100 },
  );
});
