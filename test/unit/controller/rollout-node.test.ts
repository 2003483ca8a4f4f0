import { describe, expect, it } from "vitest";
import type { NodeStateFacts } from "../../../src/controller/node-state-facts.ts";
import { rolloutNode } from "../../../src/controller/rollout-node.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts } from "./facts.ts";

const hearing = { heardAt: () => 100, silentAfterMilliseconds: 10, now: 105 };
const enforcing = elementOf(policyFacts("p"));
const observing = elementOf(policyFacts("p", { mode: "Observe" }));
const element = (name: string, mode: "Enforce" | "Observe") => ({
  name,
  uid: "u",
  hash: "aa",
  ...(mode === "Observe" ? { observes: true as const } : {}),
});

function see(
  wanted: typeof enforcing | undefined,
  facts: Partial<NodeStateFacts>,
  how: { readonly ready?: boolean; readonly now?: number; readonly heardAt?: () => number | undefined } = {},
) {
  const state = stateFacts("n", facts);
  const node = nodeFacts("n", { ready: how.ready ?? true });
  const view = { node, state, handed: state, wanted: wanted && { element: wanted } };
  return rolloutNode("p", view, { ...hearing, ...how });
}

describe("a change cuts nothing", () => {
  it.each([
    ["where an observer comes", observing, [], true],
    ["where an observer changes", observing, [element("p", "Observe")], true],
    [
      "where an observer goes, beside others that enforce",
      undefined,
      [element("p", "Observe"), element("q", "Enforce")],
      true,
    ],
    [
      "where the only policy that enforces comes to observe",
      observing,
      [element("p", "Enforce"), element("q", "Observe")],
      true,
    ],
    ["where the only policy that enforces goes", undefined, [element("p", "Enforce")], true],
    [
      "but it may where another enforces beside it: coming to observe",
      observing,
      [element("p", "Enforce"), element("q", "Enforce")],
      false,
    ],
    [
      "but it may where another enforces beside it: going",
      undefined,
      [element("p", "Enforce"), element("q", "Enforce")],
      false,
    ],
    ["but it may where it comes to enforce", enforcing, [element("p", "Observe")], false],
    ["but it may where it enforces something else", enforcing, [element("p", "Enforce")], false],
  ] as const)("%s", (_what, wanted, assigned, expected) => {
    expect(see(wanted, { assigned })?.cutsNothing).toBe(expected);
  });

  it("unless it is not known what else is enforced there", () => {
    expect(see(undefined, { assigned: [element("p", "Enforce")], keep: ["q"] })?.cutsNothing).toBe(false);
  });
});

describe("a node is alive", () => {
  it("where it is Ready and its agent was heard of lately", () => {
    expect(see(enforcing, {})).toMatchObject({ alive: true, heard: true });
  });

  it.each([
    ["not Ready", { ready: false }, true],
    ["silent", { now: 110 }, true],
    ["never heard of", { heardAt: () => undefined }, false],
  ])("not where it is %s", (_what, how, heard) => {
    expect(see(enforcing, {}, how)).toMatchObject({ alive: false, heard });
  });
});

it("has nothing to do with a policy that neither selects it nor is there", () => {
  expect(see(undefined, {})).toBeUndefined();
});

it("is still leaving where its agent speaks of the policy", () => {
  const reported = [{ name: "p", hash: "aa", state: "Enforced" as const }];
  expect(see(undefined, { reported })).toMatchObject({
    desired: undefined,
    assigned: undefined,
    reported: { hash: "aa" },
  });
});

it("takes what somebody edited for no revision", () => {
  const edited = { name: "p", uid: "u", hash: undefined };
  expect(see(enforcing, { assigned: [edited] })).toMatchObject({ assigned: "", desired: enforcing.hash });
});
