import { expect, it } from "vitest";
import { policyStatusSchema } from "../../../src/api/policy.ts";
import type { NodeOutcome } from "../../../src/controller/node-outcome.ts";
import { policyOutcome } from "../../../src/controller/policy-outcome.ts";
import { type PolicyOutcome, summarisePolicy } from "../../../src/controller/policy-status.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";

const now = new Date("2026-01-01T12:00:00Z");
const later = new Date("2026-01-01T13:00:00Z");
const base: PolicyOutcome = {
  generation: 3,
  problem: undefined,
  outcomes: [],
  conflicts: [],
  observes: false,
  setsRange: false,
  warnings: [],
};
const nodePortRange = { from: 30000, to: 32767 };
const enforced = (node: string, rest: Partial<NodeOutcome> = {}): NodeOutcome => ({
  node,
  outcome: "Enforced",
  droppedPackets: 1,
  ...rest,
});
const failed = (node: string, message = "no"): NodeOutcome => ({
  ...enforced(node),
  outcome: "Failed",
  reason: "R",
  message,
});

it("counts nodes by outcome and sums what was dropped, also where a node is unknown", () => {
  const outcomes = [enforced("a"), failed("b"), { ...enforced("c"), outcome: "Unknown" as const }, enforced("d")];
  const status = summarisePolicy({ ...base, outcomes }, undefined, now);
  expect(status.nodes).toEqual({ selected: 4, enforced: 2, failed: 1, unknown: 1 });
  expect(status.droppedPackets).toBe(4);
  expect(status.observedGeneration).toBe(3);
});

it("sums the connections from before, where somebody counted them", () => {
  const counted = (node: string, kept: number, cut: number) => enforced(node, { existingConnections: { kept, cut } });
  const status = (outcomes: readonly NodeOutcome[]) => summarisePolicy({ ...base, outcomes }, undefined, now);
  expect(status([counted("a", 3, 0), enforced("b"), counted("c", 1, 7)]).existingConnections).toEqual({
    kept: 4,
    cut: 7,
  });
  expect(status([enforced("a")])).not.toHaveProperty("existingConnections");
});

it("counts and names the nodes on which it cannot be enforced, behind those that failed", () => {
  const evaded: NodeOutcome = { ...enforced("a"), outcome: "NotEnforceable", reason: "HookEvaded", message: "OUTPUT" };
  const status = summarisePolicy({ ...base, outcomes: [evaded, failed("b"), enforced("c")] }, undefined, now);
  expect(status.nodes).toEqual({ selected: 3, enforced: 1, failed: 1, unknown: 0, notEnforceable: 1 });
  expect(status.failures?.map(({ node, reason }) => `${node} ${reason}`)).toEqual(["b R", "a HookEvaded"]);
});

it("says the very same again, and keeps the time of the last transition, where nothing changed", () => {
  const outcomes = [enforced("a")];
  const first = summarisePolicy({ ...base, outcomes }, undefined, now);
  expect(summarisePolicy({ ...base, outcomes }, first, later)).toEqual(first);
});

it("moves the time of a condition only when its status turns", () => {
  const first = summarisePolicy({ ...base, outcomes: [enforced("a")] }, undefined, now);
  const second = summarisePolicy({ ...base, outcomes: [enforced("a"), failed("b")] }, first, later);
  const times = second.conditions?.map(({ type, lastTransitionTime }) => `${type} ${lastTransitionTime.slice(11, 13)}`);
  expect(times).toEqual(["Ready 13", "Reconciling 12", "Stalled 13", "Conflicted 12"]);
});

it("names the first 20 failures and cuts what is too long, so that the API server takes it", () => {
  const outcomes = Array.from({ length: 30 }, (_, index) => failed(`n${index}`, "x".repeat(5_000)));
  const status = summarisePolicy({ ...base, outcomes }, undefined, now);
  expect(status.failures).toHaveLength(20);
  expect(status.nodes?.failed).toBe(30);
  expect(policyStatusSchema.safeParse(status).error).toBeUndefined();
});

it("shows the measured range where the policy asks for one, the most frequent first", () => {
  const outcomes = [enforced("a", { range: "1-2" }), enforced("b", { range: "3-4" }), enforced("c", { range: "3-4" })];
  expect(summarisePolicy({ ...base, outcomes, setsRange: true }, undefined, now).range).toBe("3-4, 1-2");
  expect(summarisePolicy({ ...base, outcomes }, undefined, now)).not.toHaveProperty("range");
});

it("tells the loser of a value who won it, and where", () => {
  const range = (name: string, priority: number, from: number) =>
    policyFacts(name, { priority, ephemeralPorts: { range: `${from}-60000` } });
  const low = range("low", 0, 40_000);
  const context = {
    stores: stores({
      policies: store([low, range("high", 5, 5e4)]),
      nodes: store(["d", "c", "b", "a"].map((name) => nodeFacts(name))),
    }),
    heardAt: () => 0,
    nodePortRange,
    silentAfterMilliseconds: 1e3,
    now: 0,
  };
  const lost = summarisePolicy(policyOutcome(low, context), undefined, now).conditions?.at(-1);
  expect(lost).toMatchObject({
    type: "Conflicted",
    status: "True",
    message: "spec.ephemeralPorts.range: policy high wins on a, b, c and 1 more.",
  });
  const won = summarisePolicy(policyOutcome(range("high", 5, 50_000), context), undefined, now).conditions?.at(-1);
  expect(won).toMatchObject({ type: "Conflicted", status: "False" });
});

it("names Services whose NodePorts are outside of the range that the controller was given", () => {
  const services = ["shop/web 20080", "shop/db 20432"].map((stray) => ({
    name: stray,
    addresses: [],
    strayNodePorts: [stray],
  }));
  const policies = [policyFacts("p", { ephemeralPorts: { reserveNodePorts: true } }), policyFacts("other")];
  const context = { heardAt: () => 0, nodePortRange, silentAfterMilliseconds: 1e3, now: 0 };
  const [concerned, other] = policies.map((policy) => {
    const outcome = policyOutcome(policy, { ...context, stores: stores({ services: store(services) }) });
    return summarisePolicy({ ...outcome, outcomes: [enforced("a")] }, undefined, now);
  });
  expect(concerned?.message).toMatch(
    /^All of 1 node enforce it. NodePorts are taken to be 30000-32767.*shop\/db 20432, shop\/web 20080;.*--service-node-port-range/,
  );
  expect(concerned?.conditions?.[0]).toMatchObject({ type: "Ready", status: "True", message: concerned?.message });
  expect(other?.message).toBe("All of 1 node enforce it.");
});

it("looks at the selected nodes only, and says when the next of them would be silent", () => {
  const policy = policyFacts("p", { nodeSelector: { matchLabels: { pool: "a" } } });
  const { hash } = elementOf(policy);
  const reported = [
    { name: "p", hash, state: "Enforced" as const, reason: undefined, message: undefined, droppedPackets: 0 },
  ];
  const heard = new Map([
    ["quiet", 100],
    ["fresh", 900],
    ["elsewhere", 50],
  ]);
  const outcome = policyOutcome(policy, {
    stores: stores({
      policies: store([policy]),
      nodes: store([
        ...["quiet", "fresh"].map((name) => nodeFacts(name, { labels: { pool: "a" } })),
        nodeFacts("elsewhere"),
      ]),
      nodeStates: store(["quiet", "fresh", "elsewhere"].map((name) => stateFacts(name, { reported }))),
    }),
    heardAt: (node) => heard.get(node),
    nodePortRange,
    silentAfterMilliseconds: 1e3,
    now: 1099,
  });
  expect(outcome.outcomes.map(({ node, outcome }) => `${node} ${outcome}`)).toEqual([
    "fresh Enforced",
    "quiet Enforced",
  ]);
  expect(outcome.nextSilenceAt).toBe(1_100);
});

it("counts nodes that hold a policy nobody can read, as there is no other way to know them", () => {
  const policy = policyFacts("bad", { nodeSelector: 7 });
  const outcome = policyOutcome(policy, {
    stores: stores({
      policies: store([policy]),
      nodes: store([nodeFacts("holds"), nodeFacts("never")]),
      nodeStates: store([
        stateFacts("holds", {
          assigned: [
            {
              name: "bad",
              uid: "u",
              hash: "aa",
            },
          ],
        }),
      ]),
    }),
    heardAt: () => 0,
    nodePortRange,
    silentAfterMilliseconds: 1e3,
    now: 0,
  });
  expect(outcome.outcomes.map(({ node }) => node)).toEqual(["holds"]);
  expect(outcome.problem).toContain("spec.nodeSelector: must be an object");
});

it("names the nodes that somebody took out, and counts them apart from those that it selects", () => {
  const outcomes = [enforced("a")];
  const status = summarisePolicy({ ...base, outcomes, skipped: ["b", "c"] }, undefined, now);
  expect(status.nodes).toEqual({ selected: 1, enforced: 1, failed: 0, unknown: 0, skipped: 2 });
  expect(status.status).toBe("Ready");
  expect(status.message).toBe("All of 1 node enforce it. Left out by annotation porthardening.io/skip: b, c.");
  const none = summarisePolicy({ ...base, skipped: ["b"] }, undefined, now);
  expect(none.message).toBe("Every node that it selects is left out. Left out by annotation porthardening.io/skip: b.");
});

it("leaves out a node that somebody took out, also one that still has it, and no other for it", () => {
  const policy = policyFacts("p", { nodeSelector: { matchLabels: { pool: "a" } } });
  const { name, uid, hash } = elementOf(policy);
  const labels = { pool: "a" };
  const seen = policyOutcome(policy, {
    stores: stores({
      policies: store([policy]),
      nodes: store([
        nodeFacts("in", { labels }),
        nodeFacts("out", { labels, skipped: true }),
        nodeFacts("other", { skipped: true }),
      ]),
      nodeStates: store([stateFacts("in"), stateFacts("out", { assigned: [{ name, uid, hash }] })]),
    }),
    heardAt: () => now.getTime(),
    silentAfterMilliseconds: 180_000,
    nodePortRange,
    now: now.getTime(),
  });
  expect(seen.outcomes.map(({ node }) => node)).toEqual(["in"]);
  expect(seen.skipped).toEqual(["out"]);
});

it("counts a node that a person disengaged as one that does not enforce it, and says so", () => {
  const evaded = { ...enforced("b"), outcome: "NotEnforceable" as const, reason: "Disengaged", message: "by hand" };
  const status = summarisePolicy({ ...base, outcomes: [enforced("a"), evaded] }, undefined, now);
  expect(status.nodes).toMatchObject({ selected: 2, enforced: 1, notEnforceable: 1 });
  expect(status.status).toBe("PartlyEnforced");
  expect(status.message).toContain("b: by hand");
  expect(status.failures).toEqual([{ node: "b", reason: "Disengaged", message: "by hand" }]);
});
