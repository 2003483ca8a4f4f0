import { describe, expect, it } from "vitest";
import { fleetRollout } from "../../../src/controller/fleet-rollout.ts";
import { previewPatience } from "../../../src/controller/preview-patience.ts";
import { rollout } from "../../../src/controller/rollout.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";
import { fleet, settings } from "./rollout-nodes.ts";

/** Whose turn it is, and the phase: `b Canary`; with `?` where nobody waits for the answer. */
function decide(text: string, some: Parameters<typeof settings>[0] = {}, labels?: Parameters<typeof fleet>[1]): string {
  const { turns, phase } = rollout(settings(some), fleet(text, labels));
  const names = [...turns].map(([name, turn]) => (turn === "Awaited" ? name : `${name}?`));
  return [names.join(""), phase].join(" ").trim();
}

describe("a canary", () => {
  it.each([
    ["-----", "a Canary", "is the first node by name"],
    ["ooooo", "a Canary", "comes first with an edit as well"],
    ["hoooo", "Canary", "is waited for"],
    ["Noooo", "b Progressing", "lets the others follow when it enforces it"],
    ["xoooo", "b Progressing", "lets them follow also where something on it lets traffic past"],
    ["ohooo", "Canary", "is whichever node was handed it, though another one comes first by now"],
    ["oNooo", "a Progressing", "is whichever node enforces it"],
    ["oaooo", "b Canary", "is not one that is not ready or silent"],
    ["o!ooo", "b Canary", "is not one whose agent was never heard of"],
    ["haooo", "Canary", "that went away after it was handed the revision is waited for"],
    ["huooo", "b Canary", "is not waited for where it was away before"],
    ["h!ooo", "b Canary", "is not waited for where no agent ever was"],
  ])("of %s: %s: %s", (text, expected) => {
    expect(decide(text)).toBe(expected);
  });

  it.each([
    ["ooooo", 2, "ab Canary"],
    ["Noooo", 2, "b Canary"],
    ["NNooo", 2, "cd Progressing"],
    ["ooooo", 9, "ab Canary"],
    ["oo", 9, "ab Canary"],
  ])("of %s, %i of them and two at a time: %s", (text, count, expected) => {
    expect(decide(text, { canary: { count }, maxUnavailable: 2 })).toBe(expected);
  });

  const labels = (name: string) => ({ canary: name === "c" || name === "d" ? "true" : "false" });
  const canary = { count: 1, nodeSelector: { matchLabels: { canary: "true" } } };
  it.each([
    ["ooooo", "c Canary", "has the labels"],
    ["Noooo", "c Canary", "is no other node that enforces it"],
    ["oooaoo", "d Canary", "is the next one with the labels where the first is away"],
    ["oooaoao", "Canary", "is awaited where all that have the labels are away"],
    ["oo", "Blocked", "is missed where nobody has the labels"],
    ["NN", "Complete", "is not missed where there is nothing to do"],
  ])("by label, of %s: %s: it %s", (text, expected) => {
    expect(decide(text, { canary }, labels)).toBe(expected);
  });
});

describe("behind the canary", () => {
  it.each([
    ["Nooooooo", "25%", "bc Progressing"],
    ["Nhoooooo", "25%", "c Progressing"],
    ["Nhhooooo", "25%", "Progressing"],
    ["NNoo", "25%", "c Progressing"],
    ["Nooooooo", 3, "bcd Progressing"],
    ["Nooooooo", "100%", "bcdefgh Progressing"],
    ["NNNNNNNN", "25%", "Complete"],
    ["NNNNNNNh", "25%", "Progressing"],
    ["Nooo", "1%", "b Progressing"],
  ])("of %s, %s at a time: %s", (text, maxUnavailable, expected) => {
    expect(decide(text, { maxUnavailable })).toBe(expected);
  });

  it.each([
    ["NoaoaNo", "e Progressing", "those that are away are left for last"],
    ["NoaoaNN", "b?c? Complete", "until all others have it: it may be what brings them back"],
    ["N-a-aNN", "Complete", "where they never had the policy they need no cure, and wait until they are back"],
    ["NoaoaNh", "Progressing", "and nobody else is under way"],
    ["NhaoNN", "Progressing", "one that went away after it was handed the revision keeps its place"],
    ["NhuoNN", "c Progressing", "one that was away before does not"],
  ])("of %s: %s: %s", (text, expected) => {
    expect(decide(text, { maxUnavailable: 1 })).toBe(expected);
  });

  it("counts percentages of the nodes that are alive, rounded down, and takes at least one", () => {
    expect(decide("Nooooooooaoaoaoa", { maxUnavailable: "50%" })).toBe("bcde Progressing");
  });
});

describe("a fleet of which nobody is alive", () => {
  it("gets the change on a canary, where that may bring it back, and then everywhere", () => {
    expect(decide("oaoaoa")).toBe("a? Canary");
    expect(decide("huoaoa")).toBe("Canary");
    expect(decide("Naoaoa")).toBe("b?c? Complete");
  });

  it("gets nothing that it never had", () => {
    expect(decide("-a-a")).toBe("Canary");
  });

  it("takes its turns when the first is back", () => {
    expect(decide("huooa")).toBe("b Canary");
  });
});

describe("a node that fails", () => {
  it.each(["Foooo", "NFooo", "NhFoo", "NNNNF", "FaNoo"])("halts all others: %s", (text) => {
    expect(decide(text)).toBe("Halted");
  });

  it("is named, with the number of those that are left", () => {
    const { failed, pending } = rollout(settings(), fleet("NFooF"));
    expect([failed.map(({ name }) => name).join(""), pending]).toEqual(["be", 2]);
  });

  it("halts nothing with an older revision", () => {
    const [failed, ...others] = fleet("oo");
    const nodes = [{ ...failed, reported: { hash: "old", state: "Failed" as const } }, ...others];
    expect([...rollout(settings(), nodes as ReturnType<typeof fleet>).turns.keys()]).toEqual(["a"]);
  });

  it("lets others leave the policy", () => {
    expect(decide("Flo")).toBe("b Halted");
  });
});

describe("a roll-out that is paused", () => {
  it.each(["ooo", "Noo", "hoo", "lll"])("changes nobody: %s", (text) => {
    expect(decide(text, { paused: true })).toBe("Paused");
    expect(decide(text, { paused: true, strategy: "Immediate" })).toBe("Paused");
  });

  it("is over where nothing is left to do, as far as nodes are alive", () => {
    expect(decide("NNN", { paused: true })).toBe("Complete");
    expect(decide("NNoa", { paused: true })).toBe("Complete");
  });

  it("says first that it has halted", () => {
    expect(decide("Foo", { paused: true })).toBe("Halted");
  });
});

describe("Immediate", () => {
  it.each([
    ["o-oa-!", "abc?d? Progressing"],
    ["Fohoa", "bd? Progressing"],
    ["NhN", "Progressing"],
    ["NN", "Complete"],
    ["ll", "ab Progressing"],
  ])("changes all at once: %s: %s", (text, expected) => {
    expect(decide(text, { strategy: "Immediate" })).toBe(expected);
  });
});

describe("a policy that leaves nodes", () => {
  it.each([
    ["llllllll", "ab Progressing", "does so on some at a time, without canaries"],
    ["gglllllll", "Progressing", "waits until they say so"],
    ["gagalllll", "c Progressing", "waits for nobody who is not ready or silent"],
    ["lalag", "Progressing", "leaves those for last"],
    ["lala", "a?b? Progressing", "but does leave them"],
  ])("%s: %s: it %s", (text, expected) => {
    expect(decide(text)).toBe(expected);
  });

  it("does so at once where no other enforces anything there: that only opens, and may be what a cut-off node needs", () => {
    const nodes = fleet("llalal").map((node) => ({ ...node, cutsNothing: true }));
    expect([...rollout(settings(), nodes).turns.keys()].join("")).toBe("abcd");
  });

  it("does so beside a change of the others", () => {
    expect(decide("ool")).toBe("ac Canary");
    expect(decide("NNl")).toBe("c Progressing");
  });
});

describe("what changes nothing on nodes", () => {
  it("comes to all at once: a policy that comes to observe, and cuts nothing by that", () => {
    const nodes = fleet("ooF-oa").map((node) => ({ ...node, cutsNothing: true }));
    expect([...rollout(settings(), nodes).turns.keys()].join("")).toBe("abde");
  });

  it("comes at once: a revision that an agent kept while its NodeState was lost", () => {
    const nodes = fleet("ooo").map((node) => ({
      ...node,
      assigned: undefined,
      reported: { hash: "new", state: "Enforced" as const },
    }));
    expect(rollout(settings(), nodes)).toMatchObject({ turns: new Map(nodes.map(({ name }) => [name, "Awaited"])) });
    const older = fleet("ooo").map((node) => ({ ...node, assigned: undefined }));
    expect([...rollout(settings(), older).turns.keys()]).toEqual(["a"]);
  });
});

describe("one look at the fleet", () => {
  const nothingWritten = { newest: (_node: string, cached: ReturnType<typeof stateFacts> | undefined) => cached };
  const patience = previewPatience(() => 0, 30_000);
  const hearing = { written: nothingWritten, patience, heardAt: () => 0, silentAfterMilliseconds: 1_000, now: 0 };
  const inPool = { labels: { pool: "a" } };

  it("finds the NodeStates that must be written, and those whose Node is gone", () => {
    const policy = policyFacts("p", { nodeSelector: { matchLabels: { pool: "a" } } });
    const { name, uid, hash } = elementOf(policy);
    const assigned = [{ name, uid, hash }];
    const reported = [{ name, hash, state: "Enforced" as const }];
    const look = fleetRollout({
      ...hearing,
      stores: stores({
        policies: store([policy]),
        nodes: store([
          nodeFacts("done", inPool),
          nodeFacts("new", inPool),
          nodeFacts("newer", inPool),
          nodeFacts("other"),
          nodeFacts("reborn", inPool),
        ]),
        nodeStates: store([
          stateFacts("done", { assigned, reported }),
          stateFacts("newer"),
          stateFacts("other", { assigned, reported }),
          stateFacts("reborn", { assigned, reported, ownerUid: "uid-before" }),
          stateFacts("gone"),
        ]),
      }),
    });
    expect(look.nodes.toSorted()).toEqual(["gone", "new", "other", "reborn"]);
    expect(["new", "newer", "done"].map((node) => look.turnOf("p", node, hash))).toEqual([
      "Awaited",
      undefined,
      undefined,
    ]);
    expect(look.turnOf("p", "other", undefined)).toBe("Awaited");
  });

  it("gives no turn to a revision that came after it", () => {
    const policy = policyFacts("p");
    const look = fleetRollout({
      ...hearing,
      stores: stores({
        policies: store([policy]),
        nodes: store([nodeFacts("a")]),
        nodeStates: store([stateFacts("a")]),
      }),
    });
    expect(look.turnOf("p", "a", elementOf(policy).hash)).toBe("Awaited");
    expect(look.turnOf("p", "a", "0123456789abcdef")).toBeUndefined();
  });

  it("counts what was written and the caches do not show yet", () => {
    const policy = policyFacts("p");
    const { name, uid, hash } = elementOf(policy);
    const written = {
      newest: (node: string) => (node === "b" ? { assigned: [{ name, uid, hash }], unawaited: [] } : undefined),
    };
    const nodes = ["a", "b"].map((one) => nodeFacts(one));
    const look = fleetRollout({
      ...hearing,
      written,
      stores: stores({
        policies: store([policy]),
        nodes: store(nodes),
        nodeStates: store(nodes.map((one) => stateFacts(one.name))),
      }),
    });
    expect(look.turnOf("p", "a", hash)).toBeUndefined();
  });

  it("leaves nodes alone that roll-out has nothing to do with, where a policy cannot be compiled", () => {
    const policy = policyFacts("p", { ephemeralPorts: { range: 7 } });
    const state = stateFacts("a", { assigned: [{ name: "p", uid: "uid-p", hash: "aa" }] });
    const look = fleetRollout({
      ...hearing,
      stores: stores({ policies: store([policy]), nodes: store([nodeFacts("a")]), nodeStates: store([state]) }),
    });
    expect(look.nodes).toEqual([]);
  });
});
