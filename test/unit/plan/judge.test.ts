import fc from "fast-check";
import { expect, it } from "vitest";
import type { Opening } from "../../../src/plan/connections.ts";
import { cutSetName, cuts, formatCut } from "../../../src/plan/cut-sets.ts";
import { judge } from "../../../src/plan/judge.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { render } from "../../../src/render/render.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { anyOpening, packetOf } from "./openings.ts";
import { anyAssigned, someGroups } from "./policies.ts";

it("says of every opening what the rules do to it, and which rule decides", () => {
  let refusals = 0;
  fc.assert(
    fc.property(anyAssigned, fc.array(anyOpening, { minLength: 20, maxLength: 20 }), (policies, openings) => {
      const plan = merge(policies, someGroups, DEFAULT_NODE_SETTINGS);
      const simulated = simulator(render(plan));
      const { refusal } = judge(plan);
      for (const { opening, device } of openings) {
        const { verdict, decidedBy } = simulated(packetOf(opening, device, {}));
        const refused = refusal(opening, device);
        expect([opening, device, refused !== undefined]).toEqual([opening, device, verdict !== "Passed"]);
        if (refused === undefined) continue;
        refusals += 1;
        expect(refused).toMatchObject({ policy: decidedBy?.policy, entry: decidedBy?.entry });
      }
    }),
    { numRuns: 200 },
  );
  expect(refusals).toBeGreaterThan(100);
});

it("cuts what is in the sets only where the rules refuse it: a set that is wrong cuts nothing", () => {
  let cut = 0;
  fc.assert(
    fc.property(anyAssigned, fc.array(anyOpening, { minLength: 20, maxLength: 20 }), (policies, openings) => {
      const plan = merge(policies, someGroups, DEFAULT_NODE_SETTINGS);
      const rules = render(plan);
      const { refusal } = judge(plan);
      const filled = rules.sets.map((set) => {
        const mine = openings.filter(({ opening }) => cutSetName(opening.direction, opening.family) === set.name);
        return mine.length === 0 ? set : { ...set, entries: mine.map(({ opening }) => formatCut(opening)) };
      });
      const [without, withAll] = [simulator(rules), simulator({ ...rules, sets: filled })];
      for (const { opening, device } of openings) {
        // SCTP is told by its chunks, and the simulator knows the first one only.
        if (opening.protocol === "SCTP") continue;
        const packet = packetOf(opening, device, { syn: false, state: "ESTABLISHED" });
        expect(without(packet).verdict).toBe("Passed");
        const inScope = directionOf(plan, opening).some(({ protocols }) => protocols.includes(opening.protocol));
        const refused = cuts(plan, opening.direction) && inScope && refusal(opening, device) !== undefined;
        expect([opening, device, withAll(packet).verdict !== "Passed"]).toEqual([opening, device, refused]);
        if (refused) cut += 1;
      }
    }),
    { numRuns: 200 },
  );
  expect(cut).toBeGreaterThan(50);
});

const directionOf = (plan: ReturnType<typeof merge>, { direction }: Opening) =>
  direction === "Inbound" ? plan.inbound : plan.outbound;
