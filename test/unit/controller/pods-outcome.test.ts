import { describe, expect, it } from "vitest";
import type { NodeOutcome } from "../../../src/controller/node-outcome.ts";
import type { PodRangeState } from "../../../src/controller/pod-range.ts";
import { policyOutcome } from "../../../src/controller/policy-outcome.ts";
import { summarisePolicy } from "../../../src/controller/policy-status.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";

const asks = (name: string, spec: object = {}) =>
  policyFacts(name, { ephemeralPorts: { range: "50000-60000", pods: "Inject" }, ...spec });
const given = { range: "50000-60000", policy: "p" };

/** The status of the first policy on two nodes that enforce all of them. */
function statusOf(policies: readonly ReturnType<typeof asks>[], podRange?: PodRangeState, pods?: NodeOutcome["pods"]) {
  const [policy] = policies;
  if (policy === undefined) throw new Error("one policy is asked for");
  const reported = policies.map((one) => ({
    name: one.name,
    hash: elementOf(one).hash,
    state: "Enforced" as const,
    droppedPackets: 0,
  }));
  const names = ["a", "b"];
  const outcome = policyOutcome(policy, {
    stores: stores({
      policies: store(policies),
      nodes: store(names.map((name) => nodeFacts(name))),
      nodeStates: store(names.map((name) => stateFacts(name, { reported, pods }))),
    }),
    heardAt: () => 0,
    silentAfterMilliseconds: 1_000,
    nodePortRange: { from: 30_000, to: 32_767 },
    podRange,
    now: 0,
  });
  const status = summarisePolicy(outcome, undefined, new Date(0));
  const conditions = Object.fromEntries((status.conditions ?? []).map((one) => [one.type, one.status]));
  return { ...status, conditions };
}

describe("a policy that asks for the range in pods", () => {
  it("is Ready when nodes enforce it and pods get it", () => {
    expect(statusOf([asks("p")], { given })).toMatchObject({ status: "Ready", message: "All of 2 nodes enforce it." });
  });

  it.each([
    ["nobody has looked yet", undefined],
    ["nothing is given", {}],
    ["pods still get what it asked for before", { given: { ...given, range: "40000-60000" } }],
  ])("is on its way while %s", (_, found) => {
    const { status, message, conditions } = statusOf([asks("p")], found);
    expect([status, conditions]).toEqual([
      "Progressing",
      { Ready: "False", Reconciling: "True", Stalled: "False", Conflicted: "False" },
    ]);
    expect(message).toBe("All of 2 nodes enforce it. New pods do not get the range yet.");
  });

  it("is not Ready where pods cannot get it, though all nodes enforce it, and says why", () => {
    const { status, message, conditions } = statusOf([asks("p")], { given, problem: "it is not served" });
    expect([status, conditions]).toEqual([
      "PartlyEnforced",
      { Ready: "False", Reconciling: "False", Stalled: "True", Conflicted: "False" },
    ]);
    expect(message).toBe("All of 2 nodes enforce it. New pods do not get the range: it is not served.");
  });

  it("counts the pods of all nodes, and names those that have another range", () => {
    const some = statusOf([asks("p")], { given }, { running: 5, withRange: 2 });
    expect(some.pods).toEqual({ running: 10, withRange: 4 });
    expect(some).toMatchObject({
      status: "Ready",
      message: expect.stringContaining("6 of 10 running pods have another range"),
    });
    const all = statusOf([asks("p")], { given }, { running: 5, withRange: 5 });
    expect([all.pods, all.message]).toEqual([{ running: 10, withRange: 10 }, "All of 2 nodes enforce it."]);
    expect(statusOf([asks("p")], { given })).not.toHaveProperty("pods");
  });

  it("hears who wins where another asks for another range", () => {
    const high = asks("high", { priority: 1, ephemeralPorts: { range: "40000-60000", pods: "Inject" } });
    const found = { given: { range: "40000-60000", policy: "high" } };
    const lost = statusOf([asks("p"), high], found, { running: 5, withRange: 5 });
    expect(lost.conditions).toMatchObject({ Ready: "True", Conflicted: "True" });
    expect(lost).not.toHaveProperty("pods");
    expect(statusOf([high, asks("p")], found).conditions).toMatchObject({ Ready: "True", Conflicted: "False" });
  });

  it("loses nothing to another that asks for the same", () => {
    const same = asks("high", { priority: 1 });
    const { conditions } = statusOf([asks("p"), same], { given: { ...given, policy: "high" } });
    expect(conditions).toMatchObject({ Ready: "True", Conflicted: "False" });
  });
});

it.each([
  ["leaves pods alone", { ephemeralPorts: { range: "50000-60000" } }],
  ["only observes", { mode: "Observe", ephemeralPorts: { range: "50000-60000", pods: "Inject" } }],
])("a policy that %s says nothing of them", (_, spec) => {
  const status = statusOf([policyFacts("p", spec)], { problem: "it is not served" }, { running: 5, withRange: 2 });
  expect(status.conditions["Ready"]).toBe("True");
  expect(status.message).not.toContain("pods");
  expect(status).not.toHaveProperty("pods");
});
