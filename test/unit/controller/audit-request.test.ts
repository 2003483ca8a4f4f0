import { describe, expect, it } from "vitest";
import { auditAsked } from "../../../src/controller/audit-annotation.ts";
import { auditRequest } from "../../../src/controller/audit-request.ts";
import { fleetRollout } from "../../../src/controller/fleet-rollout.ts";
import { previewPatience } from "../../../src/controller/preview-patience.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";

const policy = (name: string, auditAsked?: string) => ({ name, auditAsked });
const request = (node: string | undefined, ...policies: readonly ReturnType<typeof policy>[]) =>
  auditRequest(
    { auditAsked: node },
    policies.map(({ name }) => name),
    store(policies),
  );

describe("the request of a node", () => {
  it("is absent where nobody asks", () => {
    expect(request(undefined, policy("a"), policy("b"))).toBeUndefined();
  });

  it.each([
    [request("monday"), ".=monday"],
    [request(undefined, policy("b", "2"), policy("c"), policy("a", "1")), "a=1 b=2"],
    [request("now", policy("a", "1")), ".=now a=1"],
  ])("can be read where it is short: %s", (made, expected) => {
    expect(made).toBe(expected);
  });

  it("differs when a second policy is given the same value, and when one goes", () => {
    const requests = [
      request(undefined, policy("a", "now"), policy("b")),
      request(undefined, policy("a", "now"), policy("b", "now")),
      request(undefined, policy("a"), policy("b", "now")),
      request("now", policy("a"), policy("b")),
    ];
    expect(new Set(requests).size).toBe(4);
  });

  it.each(["x".repeat(65), "täglich", "two\nlines", "x".repeat(200_000)])(
    "never exceeds its bound, and still tells values apart",
    (text) => {
      const asked = ["1", "2"].map((end) => auditAsked({ name: "a", annotations: annotation(text + end) }));
      const made = asked.map((value) => request(undefined, policy("a".repeat(63), value)));
      expect(new Set([...asked, ...made]).size).toBe(4);
      for (const one of [...asked, ...made]) expect(one).toMatch(/^[ -~]{1,64}$/);
    },
  );

  it("is no matter of an empty annotation", () => {
    expect(auditAsked({ name: "a", annotations: annotation("") })).toBeUndefined();
    expect(auditAsked({ name: "a" })).toBeUndefined();
  });
});

it("has the NodeState written where it differs, and changes no revision by that", () => {
  const facts = policyFacts("p");
  const { uid, hash } = elementOf(facts);
  const assigned = [{ name: "p", uid, hash }];
  const turn = (auditRequest: string | undefined) =>
    fleetRollout({
      stores: stores({
        policies: store([{ ...facts, auditAsked: "now" }]),
        nodes: store([nodeFacts("a")]),
        nodeStates: store([stateFacts("a", { assigned, auditRequest })]),
      }),
      written: { newest: (_node, cached) => cached },
      patience: previewPatience(() => 0, 30_000),
      heardAt: () => 0,
      silentAfterMilliseconds: 1_000,
      now: 0,
    });
  expect(turn("p=now").nodes).toEqual([]);
  expect(turn(undefined).nodes).toEqual(["a"]);
  expect(turn(undefined).turnOf("p", "a", hash)).toBeUndefined();
});

function annotation(value: string) {
  return { "porthardening.io/audit-at": value };
}
