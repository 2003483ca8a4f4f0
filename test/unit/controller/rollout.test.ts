import { expect, it } from "vitest";
import { fleetRollout } from "../../../src/controller/fleet-rollout.ts";
import { rollout } from "../../../src/controller/rollout.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";

it("lets every node change whose revision is not the desired one, and no other", () => {
  const nodes = [
    { name: "new", desired: "b", assigned: undefined, reported: undefined },
    { name: "old", desired: "b", assigned: "a", reported: { hash: "a", state: "Enforced" as const } },
    { name: "there", desired: "b", assigned: "b", reported: undefined },
    { name: "leaving", desired: undefined, assigned: "a", reported: undefined },
    { name: "elsewhere", desired: undefined, assigned: undefined, reported: undefined },
  ];
  expect([...rollout(nodes)]).toEqual(["new", "old", "leaving"]);
});

it("finds the NodeStates that must be written, and those whose Node is gone", () => {
  const policy = policyFacts("p", { nodeSelector: { matchLabels: { pool: "a" } } });
  const { name, uid, hash } = elementOf(policy);
  const assigned = [{ name, uid, hash }];
  const inPool = { labels: { pool: "a" } };
  const fleet = fleetRollout(
    stores({
      policies: store([policy]),
      nodes: store([
        nodeFacts("done", inPool),
        nodeFacts("new", inPool),
        nodeFacts("other"),
        nodeFacts("reborn", inPool),
      ]),
      nodeStates: store([
        stateFacts("done", { assigned }),
        stateFacts("other", { assigned }),
        stateFacts("reborn", { assigned, ownerUid: "uid-before" }),
        stateFacts("gone"),
      ]),
    }),
  );
  expect(fleet.nodes.toSorted()).toEqual(["gone", "new", "other", "reborn"]);
  expect(["new", "other", "done"].map((node) => fleet.mayChange("p", node))).toEqual([true, true, false]);
});
