import { describe, expect, it } from "vitest";
import { type NodeNetwork, openingsOf, type TrackedConnection } from "../../../src/plan/connections.ts";
import { type ExistingSearch, keepCuts, searchExisting } from "../../../src/plan/existing.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { assigned } from "./policies.ts";

const node = "198.18.0.11";
const peer = "192.0.2.9";
const vip = "198.19.240.10";

const network: NodeNetwork = {
  addresses: new Set([node, "10.0.0.1", "127.0.0.1"]),
  listening: new Set([8443]),
  interfaceOf: (address) => (address.startsWith("192.") ? "eth0" : "eth1"),
};
const services = { isVip: (_: 4 | 6, address: string) => address === vip, isVipOrigin: (one: string) => one === vip };

function tracked(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  more: Partial<TrackedConnection> = {},
): TrackedConnection {
  const answers = { replySource: destination, replySourcePort: destinationPort };
  return { family: 4, protocol: "TCP", source, sourcePort, destination, destinationPort, ...answers, ...more };
}

/** Openings in short: `Inbound 192.0.2.9 8443 198.18.0.11`. */
const openings = (connection: TrackedConnection) =>
  openingsOf(connection, network, services).map(({ direction, peer: other, port, local }) =>
    [direction, other, port, local].join(" "),
  );

describe("who opened a connection", () => {
  const inbound = [`Inbound ${peer} 8443 ${node}`];
  const outbound = [`Outbound ${peer} 443 ${node}`];
  const pod = { replySource: "198.19.1.2", replySourcePort: 8080 };
  it.each<[string, TrackedConnection, string[]]>([
    ["to a listener", tracked(peer, 40000, node, 8443), inbound],
    ["to a listener, seen first by its answer", tracked(node, 8443, peer, 40000), inbound],
    ["by the node", tracked(node, 50000, peer, 443), outbound],
    ["by the node, seen first by the answer: cannot be told", tracked(peer, 443, node, 50000), []],
    [
      "UDP, by what was seen first",
      tracked(peer, 443, node, 50000, { protocol: "UDP" }),
      [`Inbound ${peer} 50000 ${node}`],
    ],
    ["UDP of the node", tracked(node, 8443, peer, 443, { protocol: "UDP" }), outbound],
    ["a NodePort, before its translation", tracked(peer, 40000, node, 30080, pod), [`Inbound ${peer} 30080 ${node}`]],
    ["a service address that leads to a pod", tracked(peer, 40000, vip, 80, pod), [`Inbound ${peer} 80 ${vip}`]],
    [
      "a service address that leads to the node: judged twice",
      tracked(peer, 40000, vip, 80, { replySource: node, replySourcePort: 8443 }),
      [`Inbound ${peer} 80 ${vip}`, `Inbound ${peer} 8443 ${node}`],
    ],
    [
      "by the node through a service address: where it leads",
      tracked(node, 50000, vip, 443, { replySource: peer, replySourcePort: 6443 }),
      [`Outbound ${peer} 6443 ${node}`],
    ],
    ["forwarded", tracked(peer, 40000, "198.19.1.2", 8080), []],
    ["of a pod to the world", tracked("198.19.1.2", 40000, peer, 443), []],
    ["within the node", tracked(node, 40000, "127.0.0.1", 8443), []],
  ])("%s", (_, connection, expected) => {
    expect(openings(connection)).toEqual(expected);
  });
});

const planOf = (firewall: object, ...more: object[]) =>
  merge(
    [firewall, ...more].map((one, index) => assigned({ firewall: one }, `p-${index}`)),
    [],
    DEFAULT_NODE_SETTINGS,
  );

function search(
  plan: Parameters<typeof searchExisting>[0],
  connections: readonly TrackedConnection[],
  cuts = new Map(),
) {
  const seek: ExistingSearch = searchExisting(plan, network, cuts);
  for (const one of connections) seek.see(one);
  return seek.found();
}

describe("existing connections", () => {
  const from = (count: number, source: string) =>
    Array.from({ length: count }, (_, index) => tracked(source, 40000 + index, node, 8443));

  it("are counted by policy, the most numerous others named", () => {
    const many = [1, 2, 3, 4, 5, 6, 7].flatMap((n) => from(n, `192.0.2.${n}`));
    const { byPolicy, added } = search(planOf({ inbound: {} }), many);
    expect(byPolicy.get("p-0")).toMatchObject({ kept: 28, cut: 0 });
    expect(byPolicy.get("p-0")?.top.map((one) => `${one.peer} ${one.connections}`)).toEqual(
      [7, 6, 5, 4, 3].map((n) => `192.0.2.${n} ${n}`),
    );
    expect(added).toBe(0);
  });

  it("become one element of a set for each other end and port", () => {
    const plan = planOf({ existing: "Cut", inbound: {} });
    const { byPolicy, cuts, added } = search(plan, [...from(9, peer), ...from(2, "192.0.2.10")]);
    expect(byPolicy.get("p-0")).toMatchObject({ kept: 0, cut: 11 });
    expect([...(cuts.get("ph-cut-in-4") ?? [])]).toEqual([`${peer},tcp:8443,${node}`, `192.0.2.10,tcp:8443,${node}`]);
    expect(added).toBe(2);
    expect(search(plan, from(9, peer), new Map(cuts)).added).toBe(0);
  });

  it("are judged on the interface that leads back", () => {
    const plan = planOf({ inbound: { interfaces: { include: ["eth1"] } } });
    expect(search(plan, from(3, peer)).byPolicy.size).toBe(0);
    expect(search(plan, from(3, "198.51.100.9")).byPolicy.get("p-0")?.kept).toBe(3);
  });

  it("stay cut as long as a policy that cuts refuses them", () => {
    const cut = new Map([["ph-cut-in-4", new Set([`${peer},tcp:8443,${node}`, `192.0.2.10,udp:8443,${node}`, "odd"])]]);
    const allow = [{ name: "a", from: [{ ipBlock: { cidr: `${peer}/32` } }] }];
    const still = (...firewalls: [object, ...object[]]) => [
      ...(keepCuts(planOf(...firewalls), network, cut).get("ph-cut-in-4") ?? []),
    ];
    expect(still({ existing: "Cut", inbound: {} })).toHaveLength(2);
    expect(still({ existing: "Cut", inbound: { allow } })).toEqual([`192.0.2.10,udp:8443,${node}`]);
    expect(still({ inbound: {} })).toEqual([]);
    expect(still({ inbound: {} }, { existing: "Cut", inbound: {} })).toHaveLength(2);
  });

  it("beyond what a set takes live on, and are counted so", () => {
    const plan = planOf({ existing: "Cut", inbound: {} });
    const seek = searchExisting(plan, network, new Map());
    for (let n = 0; n < 66_000; n += 1)
      seek.see(tracked(`172.${16 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, 4000, node, 8443));
    expect(seek.found().byPolicy.get("p-0")).toMatchObject({ kept: 66_000 - 65_536, cut: 65_536 });
  });

  it("that a policy in mode Observe would refuse, or cut, are counted as its own, and live on", () => {
    const office = { deny: [{ name: "office", from: [{ ipBlock: { cidr: `${peer}/32` } }] }] };
    const observing = (firewall: object) => assigned({ mode: "Observe", firewall }, "tried");
    const enforced = assigned({ firewall: { inbound: { allow: [{ name: "all", ports: [8443] }] } } }, "enforced");
    const seen = [...from(3, peer), ...from(2, "192.0.2.10")];
    const kept = (...policies: Parameters<typeof merge>[0]) => {
      const { byPolicy, added } = search(merge(policies, [], DEFAULT_NODE_SETTINGS), seen);
      expect(added).toBe(0);
      return Object.fromEntries([...byPolicy].map(([name, { kept: living, cut }]) => [name, [living, cut]]));
    };
    expect(kept(observing({ existing: "Cut", inbound: office }), enforced)).toEqual({ tried: [3, 0] });
    // What an enforced policy lets in would go on passing.
    expect(kept(observing({ inbound: {} }), enforced)).toEqual({});
    expect(kept(observing({ inbound: {} }))).toEqual({ tried: [5, 0] });
    // What is refused already is not news.
    const closed = assigned({ firewall: { inbound: {} } }, "closed");
    expect(kept(observing({ inbound: office }), closed)).toEqual({ closed: [5, 0] });
  });
});
