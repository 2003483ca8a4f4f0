import { describe, expect, it } from "vitest";
import { desiredPolicies } from "../../../src/controller/desired-policies.ts";
import { nodeTarget } from "../../../src/controller/node-target.ts";
import type { PolicyFacts } from "../../../src/controller/policy-facts.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts } from "./facts.ts";

const node = nodeFacts("n", { labels: { pool: "a" } });
const always = () => "Awaited" as const;
const never = () => undefined;
const assignedOf = (policy: PolicyFacts) => {
  const { name, uid, hash } = elementOf(policy);
  return { name, uid, hash };
};
const desired = (policies: readonly PolicyFacts[], state?: ReturnType<typeof stateFacts>) =>
  desiredPolicies(
    policies.map(({ compiled }) => compiled),
    node,
    state,
  );
const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);

describe("a NodeState", () => {
  it("holds the policies that select the node, sorted by name", () => {
    const policies = [
      policyFacts("zeta"),
      policyFacts("alpha", { nodeSelector: { matchLabels: { pool: "a" } } }),
      policyFacts("other", { nodeSelector: { matchLabels: { pool: "b" } } }),
    ];
    const target = nodeTarget(desired(policies), undefined, always);
    expect(names(target.set)).toEqual(["alpha", "zeta"]);
    expect(target).toMatchObject({ keep: [], remove: [], differs: true });
  });

  it("is left alone where its hashes are the desired ones", () => {
    const policy = policyFacts("p");
    const state = stateFacts("n", { assigned: [assignedOf(policy)] });
    expect(nodeTarget(desired([policy], state), state, always).differs).toBe(false);
  });

  it.each([
    ["an older revision", { hash: "0000000000000000" }],
    ["an element that somebody edited", { hash: undefined }],
    ["a policy of this name that was deleted and made anew", { uid: "before" }],
  ])("is written where it holds %s", (_what, difference) => {
    const policy = policyFacts("p");
    const state = stateFacts("n", { assigned: [{ ...assignedOf(policy), ...difference }] });
    const target = nodeTarget(desired([policy], state), state, always);
    expect(target).toMatchObject({ differs: true, keep: [], remove: [] });
    expect(names(target.set)).toEqual(["p"]);
  });

  it("loses a policy that is gone or selects the node no more", () => {
    const moved = policyFacts("moved", { nodeSelector: { matchLabels: { pool: "b" } } });
    const state = stateFacts("n", { assigned: [assignedOf(moved), { name: "gone", uid: "u", hash: "aa" }] });
    const target = nodeTarget(desired([moved], state), state, always);
    expect(target).toMatchObject({ differs: true, set: [], keep: [], remove: ["moved", "gone"] });
  });

  it("is written where there is none, even without policies", () => {
    expect(nodeTarget(desired([]), undefined, always)).toMatchObject({ differs: true, set: [], remove: [] });
  });

  it("keeps everything as it is until it is its turn", () => {
    const changed = policyFacts("changed");
    const added = policyFacts("added");
    const state = stateFacts("n", {
      assigned: [
        { name: "changed", uid: "uid-changed", hash: "aa" },
        { name: "gone", uid: "u", hash: "bb" },
      ],
    });
    const target = nodeTarget(desired([changed, added], state), state, never);
    expect(target).toMatchObject({ set: [], keep: ["changed", "gone"], remove: [], keepOnNode: [], differs: false });
  });
});

describe("a NodeState that is made anew", () => {
  const policies = [policyFacts("early"), policyFacts("late")];
  const early = (name: string) => (name === "early" ? ("Awaited" as const) : undefined);

  it("has the agent keep what it has of policies whose turn has not come, as the one before is lost", () => {
    const target = nodeTarget(desired(policies), undefined, early);
    expect(names(target.set)).toEqual(["early"]);
    expect(target).toMatchObject({ keepOnNode: ["late"], differs: true });
  });

  it("says so until their turn comes, or they select the node no more", () => {
    const state = stateFacts("n", { assigned: policies.slice(0, 1).map(assignedOf), keep: ["late"] });
    expect(nodeTarget(desired(policies), state, early)).toMatchObject({ keepOnNode: ["late"], differs: false });
    expect(nodeTarget(desired(policies), state, always)).toMatchObject({ keepOnNode: [], differs: true });
    expect(nodeTarget(desired(policies.slice(0, 1)), state, early)).toMatchObject({ keepOnNode: [], differs: true });
  });

  it("names no policy that never stood there where it was not lost", () => {
    const state = stateFacts("n", { assigned: policies.slice(0, 1).map(assignedOf) });
    expect(nodeTarget(desired(policies), state, early)).toMatchObject({ keepOnNode: [], differs: false });
  });
});

describe("a policy that nobody waits for", () => {
  const policy = policyFacts("p");

  it("is named, and stays so until it is handed over again", () => {
    const handed = nodeTarget(desired([policy]), stateFacts("n"), () => "Unawaited");
    expect(handed.unawaited).toEqual(["p"]);
    const state = stateFacts("n", { assigned: [assignedOf(policy)], unawaited: ["p"] });
    expect(nodeTarget(desired([policy]), state, never)).toMatchObject({ unawaited: ["p"], differs: false });
    const older = stateFacts("n", { assigned: [{ ...assignedOf(policy), hash: "aa" }], unawaited: ["p"] });
    expect(nodeTarget(desired([policy]), older, always)).toMatchObject({ unawaited: [], differs: true });
  });
});

describe("a policy that is to be tried again", () => {
  const policy = policyFacts("p");
  const element = { ...elementOf(policy), retryAt: "now" };
  const wanted = new Map([["p", { element }]]);
  const reported = (state: "Failed" | "RolledBack" | "Enforced") => [{ name: "p", hash: element.hash, state }];

  it.each(["Failed", "RolledBack"] as const)("is written where it %s, and nowhere else", (state) => {
    const failed = stateFacts("n", { assigned: [assignedOf(policy)], reported: reported(state) });
    expect(nodeTarget(wanted, failed, never)).toMatchObject({ differs: true, set: [{ retryAt: "now" }] });
    const enforced = stateFacts("n", { assigned: [assignedOf(policy)], reported: reported("Enforced") });
    expect(nodeTarget(wanted, enforced, never).differs).toBe(false);
  });

  it("is written where it is enforced, and a change of groups was rolled back", () => {
    const facts = { assigned: [assignedOf(policy)], reported: reported("Enforced") };
    expect(nodeTarget(wanted, stateFacts("n", { ...facts, rolledBack: true }), never).differs).toBe(true);
  });

  it("is not written twice for the same request", () => {
    const assigned = [{ ...assignedOf(policy), retryAt: "now" }];
    const state = stateFacts("n", { assigned, reported: reported("Failed") });
    expect(nodeTarget(wanted, state, never).differs).toBe(false);
  });
});

describe("a node that somebody took out", () => {
  it("loses every policy, one that nobody can read too", () => {
    const policy = policyFacts("p");
    const unreadable = { outcome: "Unreadable", name: "u", problem: "malformed" } as const;
    const assigned = [assignedOf(policy), { name: "u", uid: "uid-u", hash: "00" }];
    const state = stateFacts("n", { assigned });
    const wanted = desiredPolicies([policy.compiled, unreadable], { ...node, skipped: true }, state);
    expect(nodeTarget(wanted, state, always)).toMatchObject({
      set: [],
      keep: [],
      keepOnNode: [],
      remove: ["p", "u"],
      differs: true,
    });
  });
});

describe("a policy that is invalid", () => {
  const held = stateFacts("n", { assigned: [{ name: "bad", uid: "u", hash: "aa" }] });
  const good = policyFacts("good");

  it.each([
    ["cannot be read", { ephemeralPorts: { range: 7 } }],
    ["cannot be read, and cannot tell its nodes", { nodeSelector: "all", ephemeralPorts: {} }],
    ["asks for a sysctl that is not allowed", { sysctls: { "net.ipv4.ip_forward": "0" } }],
  ])("because it %s, stays what it was on the node, beside the others", (_why, spec) => {
    const target = nodeTarget(desired([policyFacts("bad", spec), good], held), held, always);
    expect(target).toMatchObject({ keep: ["bad"], remove: [], differs: true });
    expect(names(target.set)).toEqual(["good"]);
  });

  it("does not come to a node that never held it", () => {
    const target = nodeTarget(desired([policyFacts("bad", { ephemeralPorts: { range: 7 } })]), undefined, always);
    expect(target).toMatchObject({ set: [], keep: [] });
  });

  it("leaves a node that its readable selector excludes", () => {
    const moved = policyFacts("bad", { nodeSelector: { matchLabels: { pool: "b" } }, sysctls: { "net.ipv4.x": "0" } });
    expect(nodeTarget(desired([moved], held), held, always)).toMatchObject({ keep: [], remove: ["bad"] });
  });
});

describe("more policies than a NodeState holds", () => {
  const many = Array.from({ length: 64 }, (_, index) => policyFacts(`p${index}`));

  it("refuses the newcomer, whatever its priority, and says why", () => {
    const state = stateFacts("n", { assigned: many.map(assignedOf) });
    const wanted = desired([policyFacts("newcomer", { priority: 100 }), ...many], state);
    expect(wanted.get("newcomer")).toEqual({ problem: "a node takes at most 64 policies: merge some of them" });
    expect(nodeTarget(wanted, state, always)).toMatchObject({ differs: false, keep: [], remove: [] });
  });

  it("takes those of higher precedence where all of them are new", () => {
    const wanted = desired([...many, policyFacts("newcomer", { priority: 100 })]);
    expect(wanted.get("newcomer")).toHaveProperty("element");
    expect([...wanted.values()].filter((policy) => "problem" in policy)).toHaveLength(1);
  });

  it("refuses the newcomer that is too big for the rest of the room, and takes a small one after it", () => {
    // Every second /24, as neighbours become one block. About 20 kB each.
    const from = (entry: number) =>
      Array.from({ length: 16 }, (_, peer) => ({ ipBlock: { cidr: `198.${entry}.${2 * peer}.0/24` } }));
    const allow = Array.from({ length: 64 }, (_, entry) => ({ name: `e${entry}`, from: from(entry) }));
    const big = (name: string, priority = 0) => policyFacts(name, { priority, firewall: { inbound: { allow } } });
    const policies = [big("a"), big("b"), big("held", -1), policyFacts("small")];
    const state = stateFacts("n", { assigned: [{ name: "held", uid: "uid-held", hash: "aa" }] });
    const wanted = desired(policies, state);
    expect([...wanted].filter(([, policy]) => "problem" in policy).map(([name]) => name)).toEqual(["b"]);
    expect(wanted.get("b")).toEqual({
      problem: expect.stringMatching(/^compiled for a node it takes \d+ bytes where/),
    });
  });
});
