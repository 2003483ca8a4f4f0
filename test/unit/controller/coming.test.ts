import { describe, expect, it } from "vitest";
import type { ComingOnNode } from "../../../src/api/coming.ts";
import { type ComingTo, comingSummary } from "../../../src/controller/coming-summary.ts";
import { desiredPolicies } from "../../../src/controller/desired-policies.ts";
import { fleetRollout } from "../../../src/controller/fleet-rollout.ts";
import { nodeTarget } from "../../../src/controller/node-target.ts";
import { previewElements } from "../../../src/controller/preview-elements.ts";
import { previewPatience } from "../../../src/controller/preview-patience.ts";
import { type RolloutNode, rollout } from "../../../src/controller/rollout.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";
import { fleet, settings } from "./rollout-nodes.ts";
import { saidOf } from "./said-of-coming.ts";

/** `text` as in `fleet`; `previews` has a letter for each node: a is awaited, s has said it, - is not asked. */
function asked(text: string, previews: string): RolloutNode[] {
  const words = { a: "Awaited", s: "Said", "-": undefined } as const;
  return fleet(text).map((node, index) => ({ ...node, preview: words[previews[index] as keyof typeof words] }));
}
const turns = (nodes: readonly RolloutNode[], gate = { over: false, shown: true }, some = {}) => {
  const decision = rollout(settings({ maxUnavailable: "100%", ...some }), nodes, gate);
  return [[...decision.turns.keys()].join(""), decision.previewing?.map(({ name }) => name).join("")];
};

describe("a roll-out", () => {
  it("gives the canary its turn whatever is not said", () => {
    expect(turns(asked("ooo", "aaa"))).toEqual(["a", undefined]);
  });

  it("goes beyond the canary when all that are alive have said what it would cut", () => {
    expect(turns(asked("Nooo", "-asa"))).toEqual(["", "bd"]);
    expect(turns(asked("Nooo", "-sss"))).toEqual(["bcd", undefined]);
    expect(turns(asked("Nooao", "-sas"))).toEqual(["bd", undefined]);
  });

  it("waits until the policy's status shows it", () => {
    expect(turns(asked("Nooo", "-sss"), { over: false, shown: false })).toEqual(["", ""]);
  });

  it("does not wait for ever, nor for agents that do not look", () => {
    expect(turns(asked("Nooo", "-aaa"), { over: true, shown: false })).toEqual(["", ""]);
    expect(turns(asked("Nooo", "-aaa"), { over: true, shown: true })).toEqual(["bcd", undefined]);
    expect(turns(asked("Nooo", "----"), { over: false, shown: false })).toEqual(["bcd", undefined]);
  });

  it("asks nobody where all get it at once, nor when it is taken away", () => {
    expect(turns(asked("ooo", "aaa"), undefined, { strategy: "Immediate" })).toEqual(["abc", undefined]);
    expect(turns(asked("lll", "aaa"))).toEqual(["abc", undefined]);
  });
});

describe("patience", () => {
  it("lasts for a while since the last one answered, and is over once for each revision", () => {
    let now = 0;
    const patience = previewPatience(() => now, 30);
    expect(patience.over("p", "r1")).toBe(false);
    expect(patience.waits("p", "r1", 3)).toBe(30);
    now = 20;
    expect(patience.waits("p", "r1", 3)).toBe(10);
    expect(patience.waits("p", "r1", 2)).toBe(30);
    now = 50;
    expect([patience.over("p", "r1"), patience.over("p", "r2"), patience.over("q", "r1")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(patience.waits("p", "r1", 1)).toBe(30);
    expect([patience.over("p", "r1"), patience.lost("p", "r1")]).toEqual([true, false]);
    now = 80;
    expect(patience.lost("p", "r1")).toBe(true);
    patience.keep(new Set());
    expect(patience.over("p", "r1")).toBe(false);
  });
});

const policy = policyFacts("p");
const { name, hash } = elementOf(policy);
const coming = (said: readonly ComingOnNode[] | undefined, ...ask: readonly string[]) => {
  return { coming: { asked: ask.map((one) => ({ name: "p", hash: one })), said } };
};
const cuts = (cut: number, more: Partial<ComingOnNode> = {}) =>
  saidOf({ name, hash }, cut, { closedPorts: 1, ...(cut > 0 && { top: [example(cut)] }), ...more });
const example = (connections: number) =>
  ({
    effect: "Cut",
    direction: "Inbound",
    peer: "10.0.3.7",
    protocol: "TCP",
    port: 9100,
    process: "node_exporter",
    connections,
  }) as const;

describe("a NodeState", () => {
  const node = nodeFacts("n");
  const target = (facts: Parameters<typeof stateFacts>[1], turn: "Awaited" | undefined, compiled = policy.compiled) => {
    const state = stateFacts("n", facts);
    const { previews, asks, differs } = nodeTarget(desiredPolicies([compiled], node, state), state, () => turn);
    return { previews: previews.map((one) => one.hash), asks, differs };
  };

  it("holds revisions that wait for their turn, once, and without anything that comes into force", () => {
    expect(target(coming([]), undefined)).toEqual({ previews: [hash], asks: true, differs: false });
    expect(target(coming([], hash), undefined)).toEqual({ previews: [hash], asks: false, differs: false });
    expect(target(coming([], "0000"), undefined)).toMatchObject({ previews: [hash], asks: true });
  });

  it("holds none any more with the turn", () => {
    expect(target(coming([], hash), "Awaited")).toEqual({ previews: [], asks: true, differs: true });
  });

  it("asks neither an agent that does not look, nor what a policy that observes would cut: that is in status", () => {
    expect(target(coming(undefined), undefined)).toMatchObject({ previews: [], asks: false });
    const observing = policyFacts("p", { mode: "Observe" }).compiled;
    expect(target(coming([]), undefined, observing)).toMatchObject({ previews: [] });
  });

  it("names a revision without its plan where its spec would grow too large", () => {
    const element = elementOf(policy);
    const full = [{ filler: "x".repeat(56 * 1024) }];
    expect(previewElements([element], [])).toEqual([element]);
    expect(previewElements([element], full)).toEqual([
      { name, uid: element.uid, hash, priority: element.priority, mode: "Enforce" },
    ]);
  });
});

describe("one look at the fleet", () => {
  const patience = previewPatience(() => 0, 30_000);
  const enforced = {
    assigned: [{ name, uid: elementOf(policy).uid, hash }],
    reported: [{ name, hash, state: "Enforced" as const }],
  };
  const look = (said: readonly ComingOnNode[], awaited: number) =>
    fleetRollout({
      written: { newest: (_node, cached) => cached },
      patience,
      heardAt: () => 0,
      silentAfterMilliseconds: 1_000,
      now: 0,
      stores: stores({
        policies: store([{ ...policy, status: { preview: { ...summary([], false), revision: hash, awaited } } }]),
        nodes: store(["a", "b"].map((one) => nodeFacts(one))),
        nodeStates: store([stateFacts("a", enforced), stateFacts("b", coming(said, hash))]),
      }),
    });

  it("waits for what is said and for the status that shows it, and says until when", () => {
    expect(look([], 1)).toMatchObject({ nodes: [], lookAgainInMilliseconds: 30_000 });
    expect(look([cuts(14)], 1)).toMatchObject({ nodes: [], previewing: ["p"], lookAgainInMilliseconds: 30_000 });
    const ready = look([cuts(14)], 0);
    expect([ready.nodes, ready.turnOf("p", "b", hash), ready.lookAgainInMilliseconds]).toEqual([
      ["b"],
      "Awaited",
      undefined,
    ]);
  });

  it("has canaries written before those that are only asked", () => {
    const nodes = ["y", "z"].map((one) => nodeFacts(one));
    const { nodes: order } = fleetRollout({
      written: { newest: (_node, cached) => cached },
      patience,
      heardAt: () => 0,
      silentAfterMilliseconds: 1_000,
      now: 0,
      stores: stores({
        policies: store([
          policyFacts("p", { rollout: { canary: { nodeSelector: { matchLabels: { late: "yes" } } } } }),
        ]),
        nodes: store([...nodes, nodeFacts("zz", { labels: { late: "yes" } })]),
        nodeStates: store(["y", "z", "zz"].map((one) => stateFacts(one, coming([])))),
      }),
    });
    expect(order).toEqual(["zz", "y", "z"]);
  });
});

function summary(all: readonly ComingTo[], over = false) {
  const found = comingSummary("r", all, over);
  return found ?? { ...NOTHING, message: "" };
}
const NOTHING = {
  revision: "r",
  waiting: 0,
  looked: 0,
  awaited: 0,
  unknown: 0,
  cutsOn: 0,
  cut: 0,
  refused: 0,
  overLimit: 0,
  sshSessions: 0,
  closedPorts: 0,
};

describe("the policy's summary", () => {
  const to = (text: string, previews: string, said: readonly (ComingOnNode | undefined)[]): ComingTo[] =>
    asked(text, previews).map((node, index) => ({ node, said: said[index] }));

  it("adds up what nodes say to which it has not come", () => {
    const found = summary(to("Nooo", "-sss", [cuts(99), cuts(8), cuts(6), cuts(0)]));
    expect(found).toMatchObject({ waiting: 3, looked: 3, awaited: 0, unknown: 0, cutsOn: 2, cut: 14, closedPorts: 3 });
    expect(found).toMatchObject({
      top: [{ effect: "Cut", port: 9100, process: "node_exporter", connections: 14, nodes: 2 }],
    });
    expect(found.message).toBe(
      "Preview of 3 nodes to which it has not come: would cut 14 connections to 9100/tcp (node_exporter) on 2 nodes.",
    );
  });

  it("says that nothing is cut, only of those that looked", () => {
    expect(summary(to("Noo", "-ss", [undefined, cuts(0), cuts(0)])).message).toBe(
      "Preview of 2 nodes to which it has not come: nothing that is open is cut.",
    );
    const unknown = cuts(0, { outcome: "Unknown" });
    expect(summary(to("Nooo", "-ss-", [undefined, cuts(0), unknown, undefined])).message).toBe(
      "Preview of 3 nodes to which it has not come: nothing that is open is cut on 1 node; 2 nodes could not be asked or did not say.",
    );
  });

  it("says who is waited for, and who did not answer in time", () => {
    const all = to("Noo", "-aa", []);
    expect(summary(all)).toMatchObject({
      awaited: 2,
      unknown: 0,
      message: "Preview of 2 nodes to which it has not come: waiting for what 2 nodes say.",
    });
    expect(summary(all, true)).toMatchObject({
      awaited: 0,
      unknown: 2,
      message: "Preview of 2 nodes to which it has not come: 2 nodes could not be asked or did not say.",
    });
  });

  it("names what lives on, sessions of SSH, and what it could not see", () => {
    const said = cuts(0, {
      outcome: "Cuts",
      refused: 2,
      sshSessions: 2,
      atLeast: true,
      top: [{ ...example(2), effect: "Refused", port: 22, process: "sshd" }],
    });
    expect(summary(to("No", "-s", [undefined, said])).message).toBe(
      "Preview of 1 node to which it has not come: would, as far as could be seen, refuse 2 connections to 22/tcp (sshd) on 1 node, when opened anew; 2 of all are SSH sessions.",
    );
  });

  it("is gone when it waits for nobody", () => {
    expect(comingSummary("r", to("NN", "--", []), false)).toBeUndefined();
    expect(comingSummary("r", to("ll", "--", []), false)).toBeUndefined();
  });
});
