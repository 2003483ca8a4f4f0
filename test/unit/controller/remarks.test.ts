import { expect, it } from "vitest";
import type { NodeOutcome } from "../../../src/controller/node-outcome.ts";
import { summarisePolicy } from "../../../src/controller/policy-status.ts";

const on = (node: string, outcome: NodeOutcome["outcome"], message?: string, reason = "AddressGroupMissing") => ({
  node,
  outcome,
  reason,
  message,
  droppedPackets: 0,
});

function said(...outcomes: NodeOutcome[]): { status: string | undefined; message: string | undefined } {
  const rest = { conflicts: [], observes: false, setsRange: false, warnings: [] };
  const policy = { generation: 1, problem: undefined, outcomes, ...rest };
  const { status, message } = summarisePolicy(policy, undefined, new Date(0));
  return { status, message };
}

it("says on the policy what its nodes remark, the most frequent first, and stays Ready", () => {
  const gone = 'address group "g": gone';
  expect(
    said(on("a", "Enforced", "x"), on("b", "Enforced", gone), on("c", "Enforced", gone), on("d", "Enforced")),
  ).toEqual({
    status: "Ready",
    message: `All of 4 nodes enforce it. On b, c: ${gone}. On a: x.`,
  });
});

it("says why nodes wait, but not that they are about to apply", () => {
  expect(
    said(
      on("a", "Pending", "addresses are not known", "NodeAddressesMissing"),
      on("b", "Pending", "not applied yet", "Applying"),
    ),
  ).toEqual({
    status: "Progressing",
    message: "0 of 2 nodes enforce it; waiting for a, b. On a: addresses are not known.",
  });
});

it("leaves out the remarks of nodes that nobody hears of", () => {
  expect(said(on("a", "Enforced"), on("b", "Unknown", "the agent has not been heard of")).message).toBe(
    "1 of 2 nodes enforce it; not ready or not heard of: b.",
  );
});
