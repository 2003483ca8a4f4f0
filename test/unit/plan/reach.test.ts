import fc from "fast-check";
import { expect, it } from "vitest";
import { judge, onInterface } from "../../../src/plan/judge.ts";
import { merge } from "../../../src/plan/merge.ts";
import type { Family, NodePlan } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { type Reach, reachJudge } from "../../../src/plan/reach.ts";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import { anyAssigned, assigned, group, someGroups } from "./policies.ts";

const clusterNodes = group("cluster-nodes-0", ["198.18.0.1/32"], { "porthardening.io/cluster": "nodes" });
const clusterPods = group("cluster-pods-0", ["198.18.64.0/24"], { "porthardening.io/cluster": "pods" });

interface Asked {
  readonly address?: string;
  readonly port?: number;
  readonly devices?: readonly string[];
  readonly groups?: readonly GroupAddresses[];
}

function reach(inbounds: readonly object[], asked: Asked = {}): Reach {
  const { address = "0.0.0.0", port = 8080, devices = ["lo", "eth0"], groups = [] } = asked;
  const policies = inbounds.map((inbound, at) => assigned({ firewall: { inbound } }, `p${at}`));
  return reachJudge(merge(policies, groups, DEFAULT_NODE_SETTINGS), devices)({ protocol: "TCP", address, port });
}

const from = (...cidrs: readonly string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
const allow = (...cidrs: readonly string[]) => ({ allow: [{ name: "a", from: from(...cidrs) }] });
const deny = (...cidrs: readonly string[]) => ({ deny: [{ name: "d", from: from(...cidrs) }] });

it.each<[string, readonly object[], Asked, Reach]>([
  ["nobody where a policy drops", [{}], {}, "Nobody"],
  ["everybody where its default is Allow", [{ defaultAction: "Allow" }], {}, "Everybody"],
  ["everybody whom an entry names", [{ allow: [{ name: "all" }] }], {}, "Everybody"],
  ["everybody, named by blocks", [allow("0.0.0.0/0")], {}, "Everybody"],
  ["everybody, by two blocks of two policies", [allow("0.0.0.0/1"), allow("128.0.0.0/1")], {}, "Everybody"],
  ["some, by a block", [allow("203.0.113.0/24")], {}, "Some"],
  ["nobody, where the block is of the other family", [allow("2001:db8::/32")], {}, "Nobody"],
  ["some, where the listener has both", [allow("2001:db8::/32")], { address: "::" }, "Some"],
  ["everybody, where all of one family pass", [allow("0.0.0.0/0")], { address: "::" }, "Everybody"],
  ["some, less those that are denied", [{ defaultAction: "Allow", ...deny("203.0.113.0/24") }], {}, "Some"],
  [
    "nobody, where all that are allowed are denied",
    [{ ...allow("203.0.113.0/25"), ...deny("203.0.113.0/24") }],
    {},
    "Nobody",
  ],
  ["nobody, by one list", [{ ...allow("203.0.113.0/24"), ...deny("203.0.113.0/24") }], {}, "Nobody"],
  [
    "some, as only pods come where all may",
    [{ interfaces: { include: ["eth0"] } }, { interfaces: { include: ["cali+"] }, defaultAction: "Allow" }],
    { devices: ["eth0", "cali1"] },
    "Some",
  ],
  ["nobody, where a deny names everybody", [{ defaultAction: "Allow", deny: [{ name: "d" }] }], {}, "Nobody"],
  ["nobody known on another port", [{ ports: [9090] }], {}, "Unknown"],
  ["nobody known without a policy", [], {}, "Unknown"],
  ["everybody through a failsafe", [{ ports: ["1-65535"] }], { port: 22 }, "Everybody"],
  ["nobody through a failsafe of nodes that are not known", [{ trustCluster: false }], { port: 10250 }, "Nobody"],
  [
    "some through it, denied or not",
    [{ trustCluster: false, deny: [{ name: "d" }] }],
    { port: 10250, groups: [clusterNodes] },
    "Some",
  ],
  ["some, by trust alone", [{}], { groups: [clusterNodes] }, "Some"],
  ["nobody, where the cluster is not trusted", [{ trustCluster: false }], { groups: [clusterNodes] }, "Nobody"],
  ["nobody, as pods come by no uplink", [{}], { groups: [clusterPods] }, "Nobody"],
  ["some, as pods come by their interfaces", [{}], { groups: [clusterPods], devices: ["eth0", "cali1"] }, "Some"],
  [
    "nobody known on an interface that is not judged",
    [{ interfaces: { include: ["eth+"] } }],
    { devices: ["eth0", "wlan0"] },
    "Unknown",
  ],
  [
    "nobody, where there is no such interface",
    [{ interfaces: { include: ["eth+"] } }],
    { devices: ["eth0"] },
    "Nobody",
  ],
  [
    "some, on an interface that is left out by name",
    [{ interfaces: { exclude: ["eth9"] } }],
    { devices: ["eth0", "eth9"] },
    "Some",
  ],
  ["some, as pods are not judged", [{ interfaces: { include: ["eth+"] } }], { devices: ["eth0", "cali1"] }, "Some"],
  [
    "everybody on one of two interfaces",
    [{ interfaces: { include: ["eth0"] } }, { interfaces: { include: ["eth1"] }, defaultAction: "Allow" }],
    { devices: ["eth0", "eth1"] },
    "Everybody",
  ],
  ["nobody known without interfaces", [{}], { devices: ["lo"] }, "Unknown"],
])("lets through %s", (_, inbounds, asked, expected) => {
  expect(reach(inbounds, asked)).toBe(expected);
});

const devices = ["lo", "eth0", "eth1", "bond0", "cali7", "wan"];
const known = {
  4: "198.51.100.1 198.51.100.70 203.0.113.7 203.0.113.200 192.0.2.1 10.9.8.7 198.18.0.9 198.18.64.5".split(" "),
  6: "2001:db8:bad::1 2001:db8:1::7 2001:db8:99::1 2001:db9::1 2001:db8:18::1".split(" "),
};
const place = fc.record({
  protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
  address: fc.constantFrom("0.0.0.0", "::", "192.0.2.10", "2001:db8::10"),
  port: fc.oneof(fc.constantFrom(22, 6443, 8443), fc.integer({ min: 1, max: 65535 })),
});

/** Each source that is tried: where it comes in, and whether it is refused. */
function tried(
  plan: NodePlan,
  { protocol, address, port }: { protocol: "TCP" | "UDP" | "SCTP"; address: string; port: number },
  more: readonly string[],
) {
  const { refusal } = judge(plan);
  const families: readonly Family[] = address === "::" ? [4, 6] : [address.includes(":") ? 6 : 4];
  return devices.slice(1).flatMap((device) => {
    const judged = plan.inbound.some(
      (scope) =>
        onInterface(scope.interfaces, device) &&
        scope.protocols.includes(protocol) &&
        scope.ports.some(({ from: low, to }) => low <= port && port <= to),
    );
    return families.map((family) => {
      const peers = [...known[family], ...more.filter((peer) => peer.includes(":") === (family === 6))];
      const refused = peers.map(
        (peer) => refusal({ direction: "Inbound", family, protocol, peer, port, local: address }, device) !== undefined,
      );
      return { device, judged, refused };
    });
  });
}

it("agrees with what is judged of single sources", () => {
  const counts: Record<Reach, number> = { Everybody: 0, Some: 0, Nobody: 0, Unknown: 0 };
  const someone = fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 8 });
  fc.assert(
    fc.property(anyAssigned, fc.array(place, { minLength: 8, maxLength: 8 }), someone, (policies, places, peers) => {
      const plan = merge(policies, someGroups, DEFAULT_NODE_SETTINGS);
      const ask = reachJudge(plan, devices);
      for (const to of places) {
        const found = ask(to);
        counts[found] += 1;
        const doors = tried(plan, to, peers);
        if (found === "Nobody")
          expect([to, doors.every(({ refused }) => !refused.includes(false))]).toEqual([to, true]);
        if (found === "Everybody") {
          const open = doors.some(({ judged, refused }) => judged && !refused.includes(true));
          expect([to, open]).toEqual([to, true]);
        }
        if (found === "Some") expect([to, doors.some(({ judged }) => judged)]).toEqual([to, true]);
        if (found === "Unknown") expect([to, doors.some(({ judged }) => !judged)]).toEqual([to, true]);
        // Whom a rule lets through on the way from outside is somebody.
        const through = doors.some(({ judged, refused }) => judged && refused.includes(false));
        if (through) expect([to, found]).not.toEqual([to, "Nobody"]);
      }
    }),
    { numRuns: 120 },
  );
  expect(Math.min(counts.Everybody, counts.Some, counts.Nobody, counts.Unknown)).toBeGreaterThan(5);
});
