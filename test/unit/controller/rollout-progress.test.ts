import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../../src/api/rollout.ts";
import { rollout } from "../../../src/controller/rollout.ts";
import { deadlineOf, rolloutStatus } from "../../../src/controller/rollout-progress.ts";
import { judgeRollout } from "../../../src/controller/rollout-verdict.ts";
import { fleet, settings } from "./rollout-nodes.ts";

const at = (second: number) => new Date(`2026-01-01T12:00:${String(second).padStart(2, "0")}.500Z`);
const time = (second: number) => `2026-01-01T12:00:${String(second).padStart(2, "0")}Z`;

/** What is published of this fleet at that second. */
function status(nodes: string, second: number, before?: RolloutStatus, { revision = "new", paused = false } = {}) {
  return rolloutStatus({ decision: rollout(settings({ paused }), fleet(nodes)), revision }, before, at(second));
}

describe("a roll-out comes forward", () => {
  const begun = status("ooo", 1);

  it("when it begins", () => {
    expect(begun).toEqual({
      phase: "Canary",
      since: time(1),
      revision: "new",
      total: 3,
      updated: 0,
      enforced: 0,
      progressedAt: time(1),
    });
  });

  it.each([
    ["another node enforces it", "Noo", "new", 2],
    ["a node leaves that did not", "oo", "new", 2],
    ["another revision is wanted", "ooo", "newer", 2],
    ["a node is handed it", "hoo", "new", 1],
    ["a node joins", "oooo", "new", 1],
    ["nothing happens", "ooo", "new", 1],
  ])("or not: %s", (_what, nodes, revision, since) => {
    expect(status(nodes, 2, begun, { revision }).progressedAt).toBe(time(since));
  });

  it("when it is resumed, so that a pause costs no time", () => {
    const paused = status("Noo", 5, begun, { paused: true });
    expect(paused).toMatchObject({ phase: "Paused", since: time(5) });
    expect(status("Noo", 9, paused)).toMatchObject({ phase: "Progressing", since: time(9), progressedAt: time(9) });
  });

  it("and says the very same again where nothing changed", () => {
    expect(status("ooo", 9, begun)).toEqual(begun);
  });
});

it("has a deadline only where it is under way", () => {
  const how = settings({ progressDeadlineSeconds: 10 });
  expect(deadlineOf(status("hoo", 1), how)).toBe(Date.parse(time(11)));
  expect(deadlineOf(status("Nho", 1), how)).toBe(Date.parse(time(11)));
  for (const nodes of ["NNN", "Foo"]) expect(deadlineOf(status(nodes, 1), how)).toBe(Number.POSITIVE_INFINITY);
  expect(deadlineOf(status("Noo", 1, undefined, { paused: true }), how)).toBe(Number.POSITIVE_INFINITY);
});

describe("what stands still", () => {
  const judge = (nodes: string, some: Parameters<typeof settings>[0] = {}, overdue = false) => {
    const how = settings(some);
    return judgeRollout({ decision: rollout(how, fleet(nodes)), settings: how, revision: "new" }, overdue);
  };
  const nobody = { count: 1, nodeSelector: { matchLabels: { canary: "true" } } };

  it.each([
    [
      "NFo",
      {},
      "RolloutHalted",
      true,
      /failed on b; 1 node is left as it was. To go on, edit the policy, or mend the node and annotate/,
    ],
    [
      "Noo",
      { paused: true },
      "RolloutPaused",
      false,
      /is paused \(spec.rollout.paused\); 2 nodes are left as they were/,
    ],
    [
      "ooo",
      { canary: nobody },
      "NoCanary",
      true,
      /No selected node has the labels .* Label one, or change the selector/,
    ],
  ] as const)("%s with %j: %s", (nodes, some, reason, stalled, message) => {
    expect(judge(nodes, some)).toEqual({ reason, stalled, message: expect.stringMatching(message) });
  });

  it("is what has not come forward in time: it says whom it waits for, and who is lost", () => {
    expect(judge("Nhooo", {}, true)).toEqual({
      reason: "ProgressDeadlineExceeded",
      stalled: true,
      message: "In 600 s no further node came to enforce it (1 of 5 do; 3 nodes behind). It waits for b.",
    });
    expect(judge("haoo", {}, true)?.message).toMatch(
      /It waits for a. Not ready or not heard of since they were handed it: a; .*delete the Node/,
    );
    expect(judge("-a-a", {}, true)?.message).toMatch(/The nodes that are next are not ready or not heard of.$/);
  });

  it("is nothing else", () => {
    expect([judge("hoo"), judge("NNN"), judge("NNF"), judge("NNN", {}, true)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
