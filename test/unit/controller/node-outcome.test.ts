import { expect, it } from "vitest";
import { judgeNode, silentFrom } from "../../../src/controller/node-outcome.ts";
import { nodeFacts, stateFacts } from "./facts.ts";

const reported = (hash: string, state: "Pending" | "Enforced" | "Failed" | "RolledBack" | "NotEnforceable") =>
  stateFacts("n", {
    reported: [{ name: "p", hash, state, reason: "R", message: "M", droppedPackets: 5 }],
    range: "1-2",
  });
const heard = { node: nodeFacts("n"), silentFrom: 1_000 };
const wanted = { hash: "aa" };

it.each([
  ["Enforced", "aa", "Enforced"],
  ["Failed", "aa", "Failed"],
  ["RolledBack", "aa", "Failed"],
  ["NotEnforceable", "aa", "NotEnforceable"],
  ["NotEnforceable", "bb", "Pending"],
  ["Pending", "aa", "Pending"],
  ["Enforced", "bb", "Pending"],
  ["Failed", "bb", "Pending"],
] as const)("takes %s at revision %s, where aa is desired, for %s", (state, hash, outcome) => {
  expect(judgeNode("p", wanted, { ...heard, state: reported(hash, state) }, 0).outcome).toBe(outcome);
});

it("waits for a node that has no NodeState, or whose agent wrote nothing", () => {
  expect(judgeNode("p", wanted, { ...heard, state: undefined }, 0).outcome).toBe("Pending");
  expect(judgeNode("p", wanted, { ...heard, state: stateFacts("n") }, 0).outcome).toBe("Pending");
});

it("knows nothing of a node that is not Ready or silent, whatever it said before", () => {
  const state = reported("aa", "Enforced");
  const notReady = { ...heard, node: nodeFacts("n", { ready: false }), state };
  expect(judgeNode("p", wanted, notReady, 0)).toMatchObject({ outcome: "Unknown", reason: "NodeNotReady" });
  expect(judgeNode("p", wanted, { ...heard, state }, 999).outcome).toBe("Enforced");
  expect(judgeNode("p", wanted, { ...heard, state }, 1_000)).toMatchObject({
    outcome: "Unknown",
    reason: "AgentSilent",
  });
});

it("counts a policy that could not be made ready for the node as failed there", () => {
  const outcome = judgeNode("p", { problem: "too big" }, { ...heard, state: reported("aa", "Enforced") }, 0);
  expect(outcome).toMatchObject({ outcome: "Failed", reason: "InvalidPolicy", message: "too big", droppedPackets: 5 });
});

it("takes a node that cannot be told of the policy for outdated, unless nothing is known of it", () => {
  const skewed = { problem: "upgrade the agents", skew: "AgentOutdated" } as const;
  const state = reported("aa", "Enforced");
  expect(judgeNode("p", skewed, { ...heard, state }, 0)).toMatchObject({
    outcome: "Outdated",
    reason: "AgentOutdated",
    message: "upgrade the agents",
    droppedPackets: 5,
  });
  expect(judgeNode("p", skewed, { ...heard, state }, 1_000).outcome).toBe("Unknown");
});

it("shows the measured range of an enforced revision only", () => {
  expect(judgeNode("p", wanted, { ...heard, state: reported("aa", "Enforced") }, 0).range).toBe("1-2");
  expect(judgeNode("p", wanted, { ...heard, state: reported("aa", "Failed") }, 0).range).toBeUndefined();
});

it("gives an agent that was never heard of time from the creation of its NodeState", () => {
  expect(silentFrom(stateFacts("n", { createdAt: 500 }), undefined, 180)).toBe(680);
  expect(silentFrom(stateFacts("n", { createdAt: 500 }), 900, 180)).toBe(1_080);
  expect(silentFrom(undefined, undefined, 180)).toBe(Number.POSITIVE_INFINITY);
});
