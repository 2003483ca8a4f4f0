import { describe, expect, it } from "vitest";
import { PROBES_PER_PEER_MAX } from "../../../src/api/peer-probes.ts";
import { type Probing, type ProbingNode, planProbes } from "../../../src/controller/plan-probes.ts";
import { NO_PROBING, type ProbingFacts } from "../../../src/controller/probing-facts.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;
const at = new Date(now).toISOString();

function node(name: string, probing: Partial<ProbingFacts> = {}, rest: Partial<ProbingNode> = {}): ProbingNode {
  const number = Number(name.slice(1));
  const addresses = [`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`];
  return { node: { name, addresses }, available: true, probing: { ...NO_PROBING, ...probing }, ...rest };
}
const asking = (id: string) => ({ request: { id, at, ports: [8080] } });

/** The fleet after what was planned is written. */
function after(nodes: readonly ProbingNode[], planned: ReadonlyMap<string, Probing>): ProbingNode[] {
  return nodes.map((one) => ({ ...one, probing: { ...one.probing, ...planned.get(one.node.name) } }));
}
const peersOf = (planned: ReadonlyMap<string, Probing>, target: string) =>
  [...planned].filter(([, { probes }]) => probes.some((probe) => probe.node === target)).map(([name]) => name);

describe("a request", () => {
  const fleet = [node("n1", asking("a")), node("n2"), node("n3")];

  it("goes to one peer, which is another node, with the addresses of both", () => {
    const [peer, ...others] = peersOf(planProbes(fleet, now), "n1");
    expect(others).toEqual([]);
    expect(["n2", "n3"]).toContain(peer);
    const probe = planProbes(fleet, now).get(peer ?? "")?.probes[0];
    expect(probe).toEqual({
      id: "a",
      node: "n1",
      at,
      ports: [8080],
      paths: [{ from: peer === "n2" ? "10.0.0.2" : "10.0.0.3", to: "10.0.0.1" }],
    });
  });

  it("stays with its peer, whatever else changes", () => {
    const given = after(fleet, planProbes(fleet, now));
    const later = planProbes([...given, node("n0"), node("n4", asking("b"))], now + MINUTE);
    expect(peersOf(later, "n1")).toEqual(peersOf(planProbes(fleet, now), "n1"));
  });

  it("goes to another peer when the first is gone, falls silent, or takes longer than five minutes", () => {
    const given = after(fleet, planProbes(fleet, now));
    const [first] = peersOf(planProbes(fleet, now), "n1");
    const other = first === "n2" ? "n3" : "n2";
    const gone = given.filter(({ node: { name } }) => name !== first);
    const silent = given.map((one) => (one.node.name === first ? { ...one, available: false } : one));
    expect(peersOf(planProbes(gone, now), "n1")).toEqual([other]);
    expect(peersOf(planProbes(silent, now), "n1")).toEqual([other]);
    expect(peersOf(planProbes(given, now + 4 * MINUTE), "n1")).toEqual([first]);
    expect(peersOf(planProbes(given, now + 5 * MINUTE), "n1")).toEqual([other]);
  });

  it("is answered with what its peer measured, which is then left alone", () => {
    const given = after(fleet, planProbes(fleet, now));
    const [peer = ""] = peersOf(planProbes(fleet, now), "n1");
    const paths = [{ from: "10.0.0.2", to: "10.0.0.1", open: [8080], refused: [], silent: [] }];
    const measured = given.map((one) =>
      one.node.name === peer ? { ...one, probing: { ...one.probing, results: [{ id: "a", paths }] } } : one,
    );
    const planned = planProbes(measured, now);
    expect(planned.get("n1")).toEqual({ probes: [], answers: [{ id: "a", peer, paths }] });
    expect(peersOf(planned, "n1")).toEqual([]);
    // Also when the peer forgets it, before the node has read it.
    const told = after(measured, planned).map((one) => ({ ...one, probing: { ...one.probing, results: [] } }));
    expect(planProbes(told, now).get("n1")?.answers).toEqual([{ id: "a", peer, paths }]);
  });

  it("is answered by nobody but its peer", () => {
    const given = after(fleet, planProbes(fleet, now));
    const [peer] = peersOf(planProbes(fleet, now), "n1");
    const forged = given.map((one) =>
      one.node.name === peer ? one : { ...one, probing: { ...one.probing, results: [{ id: "a", paths: [] }] } },
    );
    expect(planProbes(forged, now).get("n1")?.answers).toEqual([]);
  });

  it("that is withdrawn leaves nothing behind", () => {
    const given = after(fleet, planProbes(fleet, now)).map((one) => {
      const answers = [{ id: "a", peer: "n2", paths: [] }];
      return { ...one, probing: { ...one.probing, request: undefined, answers } };
    });
    for (const [, { probes, answers }] of planProbes(given, now)) expect([...probes, ...answers]).toEqual([]);
  });

  it.each([
    ["there is no other node", [node("n1", asking("a"))]],
    ["no other node is available", [node("n1", asking("a")), node("n2", {}, { available: false })]],
    [
      "no other node has an address of its family",
      [node("n1", asking("a")), node("n2", {}, { node: { name: "n2", addresses: ["2001:db8::2"] } })],
    ],
  ])("is answered with the reason where %s", (_, nodes) => {
    const { answers } = planProbes(nodes, now).get("n1") ?? {};
    expect(answers).toEqual([{ id: "a", problem: expect.stringMatching(/^no other node/) }]);
  });

  it("is measured in both families, each from the first address to the first", () => {
    const both = (name: string, n: number) =>
      node(name, n === 1 ? asking("a") : {}, {
        node: { name, addresses: [`10.0.0.${n}`, `2001:0db8::${n}`, `192.0.2.${n}`] },
      });
    expect(planProbes([both("n1", 1), both("n2", 2)], now).get("n2")?.probes[0]?.paths).toEqual([
      { from: "10.0.0.2", to: "10.0.0.1" },
      { from: "2001:db8::2", to: "2001:db8::1" },
    ]);
  });
});

describe("a node that waits to confirm a change", () => {
  const changing = (...ids: readonly string[]) => ({ reachRequests: ids.map((id) => ({ id, at, ports: [10250] })) });
  const others = ["n2", "n3", "n4", "n5", "n6"].map((name) => node(name));
  const asked = (planned: ReadonlyMap<string, Probing>) => new Set(peersOf(planned, "n1"));
  const path = { from: "10.0.0.2", to: "10.0.0.1", open: [10250], refused: [], silent: [] };

  it("is measured by two peers, which are told that it is urgent", () => {
    const planned = planProbes([node("n1", changing("a", "b")), ...others], now);
    const probes = [...planned.values()].flatMap((one) => one.probes);
    expect(probes.map(({ id }) => id).sort()).toEqual(["a", "b"]);
    expect(asked(planned).size).toBe(2);
    expect(probes.map(({ purpose }) => purpose)).toEqual(["Change", "Change"]);
  });

  it("is measured by the same ones behind it as before, whatever ids it gives", () => {
    const before = asked(planProbes([node("n1", changing("a", "b")), ...others], now));
    for (const ids of ["cd", "ef", "gh"])
      expect(asked(planProbes([node("n1", changing(...ids)), ...others], now))).toEqual(before);
  });

  it("keeps its peers over a controller that starts anew, as what is written says who they are", () => {
    const fleet = [node("n1", changing("a", "b")), ...others];
    const given = after(fleet, planProbes(fleet, now));
    expect(planProbes(given, now + 1_000)).toEqual(planProbes(fleet, now));
  });

  it("is not measured twice by one peer, also when that has answered already", () => {
    const pair = [node("n1", changing("a", "b")), node("n2")];
    const given = after(pair, planProbes(pair, now));
    expect(given[1]?.probing.probes).toHaveLength(1);
    expect(planProbes(pair, now).get("n1")?.answers).toMatchObject([{ problem: expect.any(String) }]);
    const [first] = given[1]?.probing.probes ?? [];
    const measured = given.map((one) =>
      one.node.name === "n2"
        ? { ...one, probing: { ...one.probing, results: [{ id: first?.id ?? "", paths: [path] }] } }
        : one,
    );
    const planned = planProbes(measured, now);
    expect(planned.get("n2")?.probes).toEqual([]);
    expect(planned.get("n1")?.answers).toMatchObject([
      { id: "a", peer: "n2" },
      { id: "b", problem: expect.any(String) },
    ]);
  });

  it("measures nobody's change itself: two that change at once ask the others", () => {
    const planned = planProbes(
      [node("n1", changing("a", "b")), node("n2", changing("c", "d")), ...others.slice(1)],
      now,
    );
    expect(asked(planned).has("n2")).toBe(false);
    expect(peersOf(planned, "n2")).not.toContain("n1");
    const alone = planProbes([node("n1", changing("a")), node("n2", changing("c"))], now);
    expect(alone.get("n1")?.answers).toEqual([{ id: "a", problem: expect.stringContaining("no change of its own") }]);
  });

  it("waits for no audit: a peer that serves as many as it may still measures it", () => {
    const audits = Array.from({ length: 4 }, (_, n) => ({ id: `${n}`, node: `x${n}`, at, ports: [1], paths: [] }));
    const fleet = [
      node("n1", changing("a")),
      node("n2", { probes: audits }),
      ...audits.map(({ id, node: name }) => node(name, asking(id), { node: { name, addresses: [] }, available: true })),
    ];
    expect(planProbes(fleet, now).get("n2")?.probes).toHaveLength(5);
  });

  it("may be audited meanwhile", () => {
    const planned = planProbes([node("n1", { ...asking("x"), ...changing("a", "b") }), ...others], now);
    expect([...planned.values()].flatMap(({ probes }) => probes.map(({ id }) => id)).sort()).toEqual(["a", "b", "x"]);
  });
});

describe("a fleet of 1,000 nodes that asks at the same minute", () => {
  const fleet = Array.from({ length: 1_000 }, (_, n) => node(`n${n}`, asking(`${n}-request`)));
  const planned = planProbes(fleet, now);

  it("is measured as a whole, each node by one peer, and no peer measures more than it may", () => {
    const probes = [...planned.values()].flatMap((one) => one.probes);
    expect(new Set(probes.map((probe) => probe.node)).size).toBe(1_000);
    expect(probes).toHaveLength(1_000);
    for (const [name, one] of planned) {
      expect(one.probes.length).toBeLessThanOrEqual(PROBES_PER_PEER_MAX);
      expect(one.probes.map((probe) => probe.node)).not.toContain(name);
    }
  });

  it("is spread over most of its nodes, and over others at the next audit", () => {
    const busy = (plan: typeof planned) =>
      new Set([...plan].filter(([, one]) => one.probes.length > 0).map(([n]) => n));
    expect(busy(planned).size).toBeGreaterThan(500);
    const next = planProbes(
      fleet.map((one, n) => ({ ...one, probing: { ...one.probing, ...asking(`${n}-again`) } })),
      now,
    );
    const same = fleet.filter(
      ({ node: { name } }) => peerByNode(planned).get(name) === peerByNode(next).get(name),
    ).length;
    expect(same).toBeLessThan(50);
  });

  it("changes nothing once it is written", () => {
    expect(planProbes(after(fleet, planned), now + MINUTE)).toEqual(planned);
  });
});

function peerByNode(planned: ReadonlyMap<string, Probing>): ReadonlyMap<string, string> {
  return new Map([...planned].flatMap(([peer, { probes }]) => probes.map((probe) => [probe.node, peer] as const)));
}
