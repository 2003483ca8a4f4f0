import fc from "fast-check";
import { expect, it } from "vitest";
import type { Rollout } from "../../../src/api/rollout.ts";
import { type RolloutNode, rollout } from "../../../src/controller/rollout.ts";
import { nodesAtOnce, standingOf } from "../../../src/controller/rollout-standing.ts";
import { settings } from "./rollout-nodes.ts";

const REVISIONS = ["r1", "r2", "r3"] as const;

/** A node as it is: what its NodeState says, and what its agent does. */
interface Model extends Pick<RolloutNode, "name" | "labels"> {
  readonly assigned: string | undefined;
  readonly reported: RolloutNode["reported"];
  readonly alive: boolean;
  readonly unawaited: boolean;
}

type Act =
  | { readonly act: "answer" | "fail" | "leave" | "return"; readonly which: number }
  | { readonly act: "edit"; readonly revision: string }
  | { readonly act: "pause" | "resume" | "pass" };

const which = fc.nat({ max: 30 });
const acts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Act>({ act: "pass" }) },
    { weight: 6, arbitrary: fc.record({ act: fc.constant("answer" as const), which }) },
    {
      weight: 1,
      arbitrary: fc.record({ act: fc.constantFrom("fail" as const, "leave" as const, "return" as const), which }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("edit" as const), revision: fc.constantFrom(...REVISIONS) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom("pause" as const, "resume" as const) }) },
  ),
  { maxLength: 60 },
);
const rolloutOf = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    labelled: fc.boolean(),
    maxUnavailable: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom("1%", "25%", "60%", "100%")),
  })
  .map(({ count, labelled, maxUnavailable }) =>
    settings({
      canary: { count, ...(labelled ? { nodeSelector: { matchLabels: { canary: "true" } } } : {}) },
      maxUnavailable,
    }),
  );
const fleetOf = fc
  .array(fc.record({ canary: fc.boolean(), has: fc.boolean(), alive: fc.boolean() }), { minLength: 1, maxLength: 16 })
  .map((nodes) =>
    nodes.map(
      ({ canary, has, alive }, index): Model => ({
        name: `n${String(index).padStart(2, "0")}`,
        labels: { canary: String(canary) },
        assigned: has ? "r0" : undefined,
        reported: has ? { hash: "r0", state: "Enforced" } : undefined,
        alive,
        unawaited: false,
      }),
    ),
  );

const seen = (models: readonly Model[], desired: string): RolloutNode[] =>
  models.map((model) => ({ ...model, desired, heard: true, cutsNothing: false }));

/** Handed the wanted revision, and neither in force nor failed; by name, those waited for. */
function underWay(nodes: readonly RolloutNode[]): RolloutNode[] {
  return nodes.filter((node) => standingOf(node) === "InFlight" && (node.alive || !node.unawaited));
}

function handOver(models: readonly Model[], turns: ReturnType<typeof rollout>["turns"], desired: string): Model[] {
  return models.map((model) => {
    const turn = turns.get(model.name);
    return turn === undefined ? model : { ...model, assigned: desired, unawaited: turn === "Unawaited" };
  });
}

function happen(
  models: readonly Model[],
  { act, which = 0 }: { readonly act: string; readonly which?: number },
): Model[] {
  return models.map((model, index) => {
    if (index !== which % models.length) return model;
    const { assigned: hash, alive } = model;
    if (act === "leave" || act === "return") return { ...model, alive: act === "return" };
    if (!alive || hash === undefined) return model;
    return { ...model, reported: { hash, state: act === "fail" ? "Failed" : "Enforced" } };
  });
}

function holdsTo(how: Rollout, nodes: readonly RolloutNode[], turns: ReturnType<typeof rollout>["turns"]): void {
  if (how.paused || nodes.some((node) => standingOf(node) === "Failed")) return expect([...turns]).toEqual([]);
  const awaited = nodes.filter(({ name }) => turns.get(name) === "Awaited");
  const before = underWay(nodes).length;
  const alive = nodes.filter((node) => node.alive).length;
  // Never more than this under way; where an edit or a death made it less, nobody is added.
  if (awaited.length > 0) expect(before + awaited.length).toBeLessThanOrEqual(nodesAtOnce(how.maxUnavailable, alive));
  const { count = 1, nodeSelector } = how.canary ?? {};
  const isCanary = ({ labels }: RolloutNode) => nodeSelector === undefined || labels["canary"] === "true";
  const proven = nodes.filter((node) => isCanary(node) && standingOf(node) === "Settled").length;
  const others = [...turns.keys()].filter((name) => !nodes.some((node) => node.name === name && isCanary(node)));
  if (others.length > 0 && alive > 0) expect(proven).toBeGreaterThan(0);
  // As many canaries as are there to answer.
  const able = nodes.filter(
    (node) => isCanary(node) && (node.alive || standingOf(node) === "Settled" || underWay([node]).length > 0),
  );
  const want = Math.min(count, able.length);
  if (proven < want) expect(before + awaited.length + proven).toBeLessThanOrEqual(Math.max(want, before + proven));
}

it("never has more nodes under way than it may, nor goes past the canaries before they enforce it, whatever happens", () => {
  fc.assert(
    fc.property(fleetOf, rolloutOf, acts, (fleet, how, happenings) => {
      let [models, desired, paused]: [readonly Model[], string, boolean] = [fleet, "r1", false];
      for (const step of happenings) {
        if (step.act === "edit") desired = step.revision;
        else if (step.act === "pause" || step.act === "resume") paused = step.act === "pause";
        else if (step.act !== "pass") models = happen(models, step);
        else {
          const nodes = seen(models, desired);
          const { turns } = rollout({ ...how, paused }, nodes);
          holdsTo({ ...how, paused }, nodes, turns);
          models = handOver(models, turns, desired);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

it("comes to an end where nodes answer, from wherever it stands", () => {
  fc.assert(
    fc.property(fleetOf, rolloutOf, acts, (fleet, how, happenings) => {
      let [models, desired]: [readonly Model[], string] = [fleet, "r1"];
      for (const step of happenings) {
        if (step.act === "edit") desired = step.revision;
        else if (step.act === "pass") models = handOver(models, rollout(how, seen(models, desired)).turns, desired);
        else if ("which" in step) models = happen(models, step);
      }
      // From here on all are alive, and do as they are told.
      models = models.map((model) => ({ ...model, alive: true }));
      for (let round = 0; round <= 2 * models.length; round += 1) {
        models = models.map((model) =>
          model.assigned === undefined
            ? model
            : { ...model, reported: { hash: model.assigned, state: "Enforced" as const } },
        );
        models = handOver(models, rollout(how, seen(models, desired)).turns, desired);
      }
      const { phase } = rollout(how, seen(models, desired));
      const labelled =
        how.canary?.nodeSelector !== undefined && !models.some(({ labels }) => labels["canary"] === "true");
      const done = models.every(({ assigned }) => assigned === desired);
      if (labelled && !done) expect(phase).toBe("Blocked");
      else expect([phase, done]).toEqual(["Complete", true]);
    }),
    { numRuns: 1_000 },
  );
});
