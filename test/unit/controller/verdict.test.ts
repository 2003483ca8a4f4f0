import { describe, expect, it } from "vitest";
import type { NodeOutcome } from "../../../src/controller/node-outcome.ts";
import type { RolloutDecision } from "../../../src/controller/rollout.ts";
import { judgePolicy, nameNodes } from "../../../src/controller/verdict.ts";

const letters = { E: "Enforced", F: "Failed", P: "Pending", U: "Unknown", N: "NotEnforceable", O: "Outdated" } as const;

/** `EFU`: node a is Enforced, b Failed, c Unknown. */
function outcomes(text: string): NodeOutcome[] {
  return [...text].map((letter, index) => ({
    node: String.fromCharCode(97 + index),
    outcome: letters[letter as keyof typeof letters],
    message: { F: "no such set", N: "OUTPUT: accepted", O: "upgrade the agents" }[letter],
    droppedPackets: 0,
  }));
}

describe("Ready", () => {
  it.each([
    ["", "True", "NoNodesSelected"],
    ["E", "True", "Enforced"],
    ["EEE", "True", "Enforced"],
    ["EU", "True", "Enforced"],
    ["EUU", "True", "Enforced"],
    ["P", "False", "Progressing"],
    ["EP", "False", "Progressing"],
    ["PU", "False", "Progressing"],
    ["F", "False", "NodesFailed"],
    ["EF", "False", "NodesFailed"],
    ["FPU", "False", "NodesFailed"],
    ["EN", "False", "PartlyEnforced"],
    ["N", "False", "PartlyEnforced"],
    ["NU", "False", "PartlyEnforced"],
    ["NF", "False", "NodesFailed"],
    ["NP", "False", "Progressing"],
    ["EO", "False", "AgentOutdated"],
    ["OPU", "False", "AgentOutdated"],
    ["NO", "False", "AgentOutdated"],
    ["OF", "False", "NodesFailed"],
    ["U", "Unknown", "NodesUnknown"],
    ["UUU", "Unknown", "NodesUnknown"],
  ])("of nodes %j is %s, because %s", (nodes, ready, reason) => {
    expect(judgePolicy(outcomes(nodes), undefined)).toMatchObject({ ready, reason });
  });

  it("is False for a policy that is invalid, whatever its nodes do", () => {
    for (const nodes of ["", "E", "FFF", "U"]) {
      expect(judgePolicy(outcomes(nodes), "spec.mode: is required")).toMatchObject({
        ready: "False",
        reason: "InvalidPolicy",
        stalled: true,
        reconciling: false,
        message: "spec.mode: is required. Nodes that enforced it before keep that revision.",
      });
    }
  });
});

it.each([
  ["E", false, false],
  ["EP", true, false],
  ["EF", false, true],
  ["PF", true, true],
  ["EN", false, true],
  ["EO", false, true],
  ["OP", true, true],
  ["U", false, false],
])("of nodes %j: Reconciling %s, Stalled %s", (nodes, reconciling, stalled) => {
  expect(judgePolicy(outcomes(nodes), undefined)).toMatchObject({ reconciling, stalled });
});

it.each([
  ["E", "All of 1 node enforce it."],
  ["EEU", "2 of 3 nodes enforce it; not ready or not heard of: c."],
  ["EPPPPP", "1 of 6 nodes enforce it; waiting for b, c, d and 2 more."],
  ["EFF", "2 of 3 nodes failed: b, c. b: no such set"],
  ["ENU", "1 of 3 nodes enforce it; not enforceable on b. b: OUTPUT: accepted"],
  ["EOOU", "1 of 4 nodes enforce it; cannot be told: b, c, which keep what they have. b: upgrade the agents"],
  ["UU", "None of 2 nodes can be judged; not ready or not heard of: a, b."],
])("says of nodes %j: %s", (nodes, message) => {
  expect(judgePolicy(outcomes(nodes), undefined).message).toBe(message);
});

describe("of a roll-out", () => {
  const waitingFor = (name: string) => [{ name }] as unknown as RolloutDecision["waitingFor"];

  it.each([
    ["EP", "Progressing", "b", 0, "1 of 2 nodes enforce it; waiting for b."],
    ["PPP", "Canary", "a", 2, "0 of 3 nodes enforce it; canary: waiting for a; 2 nodes follow."],
    ["EPP", "Progressing", "b", 1, "1 of 3 nodes enforce it; waiting for b; 1 node follows."],
  ] as const)("%s in phase %s says whom it waits for, and how many follow", (nodes, phase, name, pending, message) => {
    const decision = { phase, waitingFor: waitingFor(name), pending };
    expect(judgePolicy(outcomes(nodes), undefined, { decision }).message).toBe(message);
  });

  it("that has halted both reasons are told: the node's, and that of those behind", () => {
    const rollout = { reason: "RolloutHalted", stalled: true, message: "It has halted." } as const;
    expect(judgePolicy(outcomes("FP"), undefined, { rollout })).toEqual({
      ready: "False",
      reconciling: false,
      stalled: true,
      reason: "RolloutHalted",
      message: "1 of 2 nodes failed: a. a: no such set. It has halted.",
    });
  });

  it("that is paused nothing is reconciled, and nothing has stalled", () => {
    const rollout = { reason: "RolloutPaused", stalled: false, message: "It is paused." } as const;
    expect(judgePolicy(outcomes("EP"), undefined, { rollout })).toMatchObject({
      ready: "False",
      reconciling: false,
      stalled: false,
      message: "1 of 2 nodes enforce it. It is paused.",
    });
  });

  it("a failure comes first that is not the roll-out's", () => {
    const rollout = { reason: "RolloutPaused", stalled: false, message: "It is paused." } as const;
    expect(judgePolicy(outcomes("FP"), undefined, { rollout }).reason).toBe("NodesFailed");
  });
});

it("names three nodes and counts the others", () => {
  expect(nameNodes(outcomes("EEE"))).toBe("a, b, c");
  expect(nameNodes(outcomes("EEEE"))).toBe("a, b, c and 1 more");
});
