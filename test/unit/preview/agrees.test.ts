import fc from "fast-check";
import { expect, it } from "vitest";
import { merge } from "../../../src/plan/merge.ts";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { flowJudge } from "../../../src/preview/judge-flow.ts";
import { placeJudge } from "../../../src/preview/judge-place.ts";
import { render } from "../../../src/render/render.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { anyOpening, packetOf, peers } from "../plan/openings.ts";
import { anyAssigned, someGroups } from "../plan/policies.ts";

const settings = DEFAULT_NODE_SETTINGS;
const planOf = (policies: Parameters<typeof merge>[0]) => merge(policies, someGroups, settings);
/** They walk rules a thousand times, on a machine that may have more to do. */
const TIMEOUT_MILLISECONDS = 60_000;
const anyOpenings = fc.array(anyOpening, { minLength: 10, maxLength: 10 });

/** Whether the rules let a first packet pass. */
function passes(plan: NodePlan) {
  const simulated = simulator(render(plan));
  return (...[opening, device]: [Parameters<typeof packetOf>[0], string]) =>
    simulated(packetOf(opening, device, {})).verdict === "Passed";
}

it(
  "says that a connection is hit where the rules of before pass it and those of after do not, and nowhere else",
  () => {
    let hits = 0;
    const property = fc.property(anyAssigned, anyAssigned, anyOpenings, (before, after, openings) => {
      const plans = [planOf(before), planOf(after)] as const;
      const [was, is] = [passes(plans[0]), passes(plans[1])];
      const fate = flowJudge(...plans);
      for (const { opening, device } of openings) {
        const found = fate({ openings: [opening], device, connections: 1 });
        // What is cut may have been refused before, and have lived on.
        const refused = !is(opening, device);
        if (found?.effect !== "Cut")
          expect([opening, device, found !== undefined]).toEqual([opening, device, was(opening, device) && refused]);
        else expect(refused).toBe(true);
        if (found === undefined) continue;
        hits += 1;
        expect(found.certainty).toBe("Certain");
      }
    });
    fc.assert(property, { numRuns: 50 });
    expect(hits).toBeGreaterThan(20);
  },
  TIMEOUT_MILLISECONDS,
);

it(
  "allows for every interface where it does not know by which a connection comes",
  () => {
    let depends = 0;
    const devices = ["eth0", "eth1", "eth9", "bond0", "bond7", "wan"];
    const property = fc.property(anyAssigned, anyAssigned, anyOpenings, (before, after, openings) => {
      const fate = flowJudge(planOf(before), planOf(after));
      for (const { opening } of openings) {
        const found = fate({ openings: [opening], connections: 1 });
        // A pod comes by an interface of pods.
        const ofPod = opening.peer.startsWith("198.18.64.");
        const known = (ofPod ? ["cali7"] : devices).map((device) =>
          fate({ openings: [opening], device, connections: 1 }),
        );
        const hit = known.filter((one) => one !== undefined);
        if (found === undefined) expect([opening, hit]).toEqual([opening, []]);
        if (found?.certainty === "Certain") expect(hit).toHaveLength(known.length);
        if (found?.certainty === "Depends") depends += 1;
      }
    });
    fc.assert(property, { numRuns: 50 });
    expect(depends).toBeGreaterThan(0);
  },
  TIMEOUT_MILLISECONDS,
);

it(
  "hides no source that loses or gains its way to a port",
  () => {
    let losses = 0;
    const device = "eth0";
    const property = fc.property(anyAssigned, anyAssigned, anyOpenings, (before, after, openings) => {
      const plans = [planOf(before), planOf(after)] as const;
      const [was, is] = [passes(plans[0]), passes(plans[1])];
      const judge = placeJudge(...plans, [device, "lo"]);
      for (const { opening } of openings) {
        if (opening.direction === "Outbound") continue;
        const { family, protocol, port } = opening;
        const address = family === 4 ? "0.0.0.0" : "2001:db8:18::1";
        const changes = judge({ protocol, port, address }).map(({ change }) => change);
        for (const peer of peers[family].split(" ")) {
          const [had, has] = [was({ ...opening, peer }, device), is({ ...opening, peer }, device)];
          if (had === has) continue;
          if (had) losses += 1;
          const told = had ? ["Closed", "Narrowed", "Changed"] : ["Opened", "Changed", "Closed"];
          expect([peer, opening, had, changes.some((one) => told.includes(one))]).toEqual([peer, opening, had, true]);
        }
      }
    });
    fc.assert(property, { numRuns: 50 });
    expect(losses).toBeGreaterThan(20);
  },
  TIMEOUT_MILLISECONDS,
);

it(
  "says nothing changes where it does not",
  () => {
    const property = fc.property(anyAssigned, anyOpenings, (policies, openings) => {
      const [fate, place] = [
        flowJudge(planOf(policies), planOf(policies)),
        placeJudge(planOf(policies), planOf(policies), undefined),
      ];
      for (const { opening } of openings) {
        expect(fate({ openings: [opening], connections: 1 })).toBeUndefined();
        expect(place({ ...opening, address: "::" })).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: 50 });
  },
  TIMEOUT_MILLISECONDS,
);
