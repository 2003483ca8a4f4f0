import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merge } from "../../../src/plan/merge.ts";
import type { NodePlan, ResolvedPeers } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { unionPorts } from "../../../src/plan/ports.ts";
import type { AssignedPolicy, GroupAddresses } from "../../../src/plan/types.ts";
import { manyCidrs } from "./many-cidrs.ts";
import { anyAssigned, anySpec, assigned, group, nodesGroup, someGroups } from "./policies.ts";

const merged = (policies: readonly AssignedPolicy[], groups: readonly GroupAddresses[] = []) =>
  merge(policies, groups, DEFAULT_NODE_SETTINGS);

/** One policy whose inbound allows (or denies) each of `from` as an entry of its own. */
const judging = (list: "allow" | "deny", ...from: (readonly object[])[]) =>
  assigned({ firewall: { inbound: { [list]: from.map((peers, at) => ({ name: `e${at}`, from: peers })) } } });

const block = (cidr: string) => ({ ipBlock: { cidr } });
const named = (name: string) => ({ addressGroup: { name } });
const listed = (list: string) => ({ addressGroup: { selector: { matchLabels: { list } } } });

/** What the peers of an entry match, both families; undefined where a family has no set. */
function content(plan: NodePlan, peers: ResolvedPeers | undefined): (readonly string[] | undefined)[] {
  if (peers === undefined || peers === "Everybody") throw new Error("not a set of addresses");
  return [peers.sets[4], peers.sets[6]].map((name) => plan.sets.find((set) => set.name === name)?.entries);
}

describe("scalars", () => {
  const at = (name: string, priority: number, spec: object) => assigned({ priority, ...spec }, name);

  it("go to the higher priority, and the loser hears who won what", () => {
    const plan = merged([
      at("low", 1, { ephemeralPorts: { range: "32768-60999" }, sysctls: { "net.core.somaxconn": "1" } }),
      at("high", 2, { ephemeralPorts: { range: "49152-65535" }, sysctls: { "net.core.somaxconn": "2" } }),
    ]);
    expect(plan.ephemeralPorts.range).toEqual({ from: 49152, to: 65535, policy: "high" });
    expect(plan.sysctls).toEqual([{ key: "net.core.somaxconn", value: "2", policy: "high" }]);
    expect(plan.conflicts).toEqual([
      { policy: "low", winner: "high", field: "spec.ephemeralPorts.range" },
      { policy: "low", winner: "high", field: "spec.sysctls[net.core.somaxconn]" },
    ]);
  });

  it("go to the first name where priorities are equal", () => {
    const range = (name: string, value: string) => at(name, 5, { ephemeralPorts: { range: value } });
    const plan = merged([range("b", "49152-65535"), range("a", "32768-60999")]);
    expect(plan.ephemeralPorts.range?.policy).toBe("a");
  });

  it("are no conflict where policies agree", () => {
    const same = { ephemeralPorts: { range: "49152-65535" }, sysctls: { "net.core.somaxconn": "2" } };
    expect(merged([at("a", 0, same), at("b", 1, same)]).conflicts).toEqual([]);
  });

  it("give pods the range of the first that asks for that, whoever wins the nodes", () => {
    const plan = merged([
      at("nodes", 3, { ephemeralPorts: { range: "32768-60999" } }),
      at("pods", 2, { ephemeralPorts: { range: "49152-65535", pods: "Inject" } }),
      at("lost", 1, { ephemeralPorts: { range: "50000-65535", pods: "Inject" } }),
      at("same", 0, { ephemeralPorts: { range: "49152-65535", pods: "Inject" } }),
      at("watches", 9, { mode: "Observe", ephemeralPorts: { range: "40000-50000", pods: "Inject" } }),
    ]);
    expect(plan.ephemeralPorts.podRange).toEqual({ from: 49152, to: 65535, policy: "pods" });
    expect(plan.conflicts.filter(({ field }) => field.endsWith(".pods"))).toEqual([
      { policy: "lost", winner: "pods", field: "spec.ephemeralPorts.pods" },
    ]);
    expect(merged([at("a", 0, { ephemeralPorts: { range: "49152-65535" } })]).ephemeralPorts).not.toHaveProperty(
      "podRange",
    );
  });

  it("settle each value by itself", () => {
    const plan = merged([
      at("high", 2, { sysctls: { "net.core.somaxconn": "2" } }),
      at("low", 1, { ephemeralPorts: { range: "49152-65535" } }),
    ]);
    expect([plan.ephemeralPorts.range?.policy, plan.sysctls[0]?.policy, plan.conflicts]).toEqual(["low", "high", []]);
  });

  it("persist as the policy that won them says", () => {
    const fleeting = at("fleeting", 2, {
      ephemeralPorts: { range: "49152-65535", reserved: [50000], persist: false },
      sysctls: { "net.core.somaxconn": "2" },
    });
    const lasting = at("lasting", 1, {
      ephemeralPorts: { range: "32768-60999", reserved: [50001] },
      sysctls: { "net.core.somaxconn": "1", "net.ipv4.tcp_syncookies": "1" },
    });
    expect(merged([fleeting]).persist).toEqual([]);
    expect(merged([fleeting, lasting]).persist).toEqual([
      "net.ipv4.ip_local_reserved_ports",
      "net.ipv4.tcp_syncookies",
    ]);
    expect(merged([lasting]).persist).toEqual([
      "net.core.somaxconn",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.ip_local_reserved_ports",
      "net.ipv4.tcp_syncookies",
    ]);
    expect(merged([at("no-ports", 0, { sysctls: { "net.core.somaxconn": "2" } })]).persist).toEqual([
      "net.core.somaxconn",
    ]);
  });

  it("add reserved ports up", () => {
    const reserved = (name: string, ...list: (number | string)[]) =>
      at(name, 0, { ephemeralPorts: { reserved: list } });
    expect(merged([reserved("a", 50000, "50100-50110"), reserved("b", "50001-50105")]).ephemeralPorts.reserved).toEqual(
      [{ from: 50000, to: 50110 }],
    );
  });
});

describe("peers", () => {
  it("become sets of one family each; a family without an address has none", () => {
    const plan = merged([judging("allow", [block("203.0.113.0/24"), block("198.51.100.7/32")])]);
    const peers = plan.inbound[0]?.allow[0]?.peers;
    expect(content(plan, peers)).toEqual([["198.51.100.7", "203.0.113.0/24"], undefined]);
    expect(peers).toEqual({ sets: { 4: expect.stringMatching(/^ph-4-[0-9a-f]{12}$/) } });
  });

  it("of everything become two halves", () => {
    const plan = merged([judging("allow", [block("0.0.0.0/0"), block("::/0")])]);
    expect(content(plan, plan.inbound[0]?.allow[0]?.peers)).toEqual([
      ["0.0.0.0/1", "128.0.0.0/1"],
      ["::/1", "8000::/1"],
    ]);
  });

  it("that are equal share a set, over entries, lists and policies", () => {
    const office = [block("203.0.113.0/25"), block("203.0.113.128/25")];
    const other = assigned({ firewall: { inbound: { deny: [{ name: "x", from: [block("203.0.113.0/24")] }] } } }, "b");
    const plan = merged([judging("allow", office, office), other]);
    expect(plan.sets.filter(({ entries }) => entries.includes("203.0.113.0/24"))).toHaveLength(1);
  });

  it("by group are found by name and by label, joined with the blocks", () => {
    const plan = merged(
      [judging("allow", [named("blocklist"), listed("partners"), block("192.0.2.0/24")])],
      [
        group("blocklist", ["203.0.113.200/32"]),
        group("a", ["192.0.2.128/25", "2001:db8:a::/48"], { list: "partners" }),
        group("b", ["198.51.100.0/24"], { list: "partners" }),
        group("c", ["198.51.100.0/23"], { list: "others" }),
      ],
    );
    expect(content(plan, plan.inbound[0]?.allow[0]?.peers)).toEqual([
      ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.200"],
      ["2001:db8:a::/48"],
    ]);
    expect(plan.warnings).toEqual([]);
  });

  it("by group have a set in both families, so that a first address needs no rule", () => {
    const plan = merged([judging("allow", [named("empty")])], [group("empty", [])]);
    expect(content(plan, plan.inbound[0]?.allow[0]?.peers)).toEqual([[], []]);
  });

  it("that exceptions emptied match nobody", () => {
    const nobody = [{ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.0/24"] } }];
    expect(merged([judging("allow", nobody)]).inbound[0]?.allow[0]?.peers).toEqual({ sets: {} });
  });

  it("whose group is missing match nothing, and the policy hears of it once", () => {
    const plan = merged([judging("allow", [named("gone")], [named("gone")], [listed("gone")])]);
    expect(content(plan, plan.inbound[0]?.allow[0]?.peers)).toEqual([[], []]);
    expect(plan.warnings.map(({ policy, reason, message }) => [policy, reason, message.split(":")[0]])).toEqual([
      ["workers", "AddressGroupMissing", 'address group "gone"'],
      ["workers", "AddressGroupMissing", 'address groups selected by {"matchLabels"'],
    ]);
  });

  it("never mean the cluster's own groups, by name or by label", () => {
    const cluster = group("cluster-pods-0", ["198.18.64.0/24"], { "porthardening.io/cluster": "pods", list: "all" });
    const plan = merged([judging("allow", [named("cluster-pods-0")], [listed("all")])], [cluster]);
    const [byName, byLabel] = plan.inbound[0]?.allow ?? [];
    expect([content(plan, byName?.peers), content(plan, byLabel?.peers)]).toEqual([
      [[], []],
      [[], []],
    ]);
    expect(plan.warnings).toHaveLength(2);
  });

  const monitoring = { matchLabels: { role: "monitoring" } };

  it("that are nodes are the addresses published for their selector, however it is written", () => {
    const selector = { matchExpressions: [{ key: "zone", operator: "In" as const, values: ["a", "b"] }] };
    const turned = { matchExpressions: [{ ...selector.matchExpressions[0], values: ["b", "a"] }], matchLabels: {} };
    const plan = merged(
      [judging("allow", [{ nodes: monitoring }, block("192.0.2.0/24")], [{ nodes: turned }], [{ nodes: {} }])],
      [
        nodesGroup(monitoring, ["198.18.0.7/32", "2001:db8:18::7/128"]),
        nodesGroup(selector, ["198.18.0.8/32"]),
        nodesGroup({}, ["198.18.0.9/32"]),
      ],
    );
    expect(plan.inbound[0]?.allow.map(({ peers }) => content(plan, peers))).toEqual([
      [["192.0.2.0/24", "198.18.0.7"], ["2001:db8:18::7"]],
      [["198.18.0.8"], []],
      [["198.18.0.9"], []],
    ]);
    expect(plan.warnings).toEqual([]);
  });

  it("that are nodes which nobody matches match nothing, and nothing is missing", () => {
    const plan = merged([judging("allow", [{ nodes: monitoring }])], [nodesGroup(monitoring, [])]);
    expect([content(plan, plan.inbound[0]?.allow[0]?.peers), plan.warnings]).toEqual([[[], []], []]);
  });

  it("that are nodes of which nothing is published say so, in words of their own", () => {
    const plan = merged([judging("allow", [{ nodes: monitoring }])], [nodesGroup({}, ["198.18.0.9/32"])]);
    expect(plan.warnings).toMatchObject([{ policy: "workers", reason: "NodeAddressesMissing" }]);
  });

  it("that are nodes are read from no group that lacks the label which admission keeps for the controller", () => {
    const { labels, ...forged } = nodesGroup(monitoring, ["203.0.113.7/32"]);
    const { "porthardening.io/cluster": _, ...rest } = labels;
    const plan = merged([judging("allow", [{ nodes: monitoring }])], [{ ...forged, labels: rest }]);
    expect(content(plan, plan.inbound[0]?.allow[0]?.peers)).toEqual([[], []]);
  });

  it("of a deny take no prefix so short that it cuts everybody off, and say so; an allow takes it", () => {
    const wide = group("wide", ["128.0.0.0/1", "203.0.0.0/8", "2000::/15", "2001:db8::/32"]);
    const denying = merged([judging("deny", [named("wide")])], [wide]);
    expect(content(denying, denying.inbound[0]?.deny[0]?.peers)).toEqual([["203.0.0.0/8"], ["2001:db8::/32"]]);
    expect(denying.warnings).toEqual([
      { policy: "workers", reason: "DenyPrefixIgnored", message: expect.stringContaining("128.0.0.0/1 and 1 more") },
    ]);
    const both = merged([judging("deny", [named("wide")]), assignedAllow("b", named("wide"))], [wide]);
    const peersOf = (name: string) => {
      const inbound = both.inbound.find(({ policy }) => policy === name);
      return [...(inbound?.allow ?? []), ...(inbound?.deny ?? [])][0]?.peers;
    };
    expect(content(both, peersOf("b"))).toEqual([["128.0.0.0/1"], ["2000::/15"]]);
    expect(content(both, peersOf("workers"))).toEqual([["203.0.0.0/8"], ["2001:db8::/32"]]);
  });
});

const assignedAllow = (name: string, peer: object) =>
  assigned({ firewall: { inbound: { allow: [{ name: "x", from: [peer] }] } } }, name);

describe("the cluster's own addresses", () => {
  it("become trust and VIPs: API endpoints count as nodes", () => {
    const plan = merged([assigned({ firewall: { inbound: {} } })], someGroups);
    expect(plan.trust.nodes).toEqual({ sets: { 4: "ph-4-nodes", 6: "ph-6-nodes" } });
    expect(content(plan, plan.trust.nodes)).toEqual([["198.18.0.1", "198.18.0.9"], ["2001:db8:18::1"]]);
    expect(content(plan, plan.trust.pods)).toEqual([["198.18.64.0/24"], []]);
    expect(content(plan, plan.trust.services)).toEqual([["198.19.0.0/16"], []]);
    expect(content(plan, plan.vips)).toEqual([["192.0.2.200", "198.19.0.10"], []]);
    expect(plan.vipCidrs).toEqual(["192.0.2.200", "198.19.0.0/16"]);
  });

  it("have their sets also where nothing is published yet", () => {
    const plan = merged([assigned({ firewall: { inbound: {} } })]);
    expect(plan.sets.map(({ name, entries }) => [name, entries.length])).toEqual([
      ["ph-4-nodes", 0],
      ["ph-4-pods", 0],
      ["ph-4-services", 0],
      ["ph-4-vips", 0],
      ["ph-6-nodes", 0],
      ["ph-6-pods", 0],
      ["ph-6-services", 0],
      ["ph-6-vips", 0],
    ]);
  });

  it("keep the service CIDRs where there are too many VIPs outside, and say how many found no room", () => {
    // Odd addresses only, so that no two make a block.
    const outside = Array.from({ length: 300 }, (_, i) => `2001:db8::${(2 * i + 1).toString(16)}/128`);
    const plan = merged(
      [assigned({ firewall: { inbound: {} } })],
      [
        group("v", ["198.19.0.1/32", "198.19.0.3/32", ...outside], { "porthardening.io/cluster": "vips" }),
        group("s", ["198.19.0.0/16"], { "porthardening.io/cluster": "service-cidrs" }),
      ],
    );
    expect(plan.vipCidrs).toHaveLength(256);
    expect(plan.vipCidrs).toContain("198.19.0.0/16");
    expect(plan.warnings).toEqual([
      { policy: "workers", reason: "TooManyVips", message: expect.stringMatching(/^45 service addresses/) },
    ]);
  });

  it("do not matter to a node on which nothing is judged or limited", () => {
    const sysctls = assigned({ sysctls: { "net.core.somaxconn": "2" } });
    expect(merged([sysctls], someGroups)).toEqual(merged([sysctls]));
    const nothing = merged([], someGroups);
    expect([nothing.sets, nothing.vipCidrs, nothing.inbound, nothing.outbound]).toEqual([[], [], [], []]);
    expect(nothing.failsafes).toEqual({ inbound: [], outbound: [] });
  });
});

describe("default actions", () => {
  const at = (name: string, priority: number, inbound: object) => assigned({ priority, firewall: { inbound } }, name);
  const warned = (...policies: readonly AssignedPolicy[]) =>
    merged(policies).warnings.map(({ policy, reason }) => [policy, reason]);
  const open = { defaultAction: "Allow" };

  it("warn both policies of an Allow above a Drop, and of none below", () => {
    expect(warned(at("low", 1, {}), at("high", 2, open))).toEqual([
      ["high", "AllowAboveDrop"],
      ["low", "AllowAboveDrop"],
    ]);
    expect(warned(at("low", 1, open), at("high", 2, {}))).toEqual([]);
    expect(warned(at("low", 1, open), at("high", 2, open))).toEqual([]);
  });

  it.each([
    ["ports", { ports: ["1024-2000"] }, { ports: ["2001-3000"] }],
    ["protocols", { protocols: ["TCP"] }, { protocols: ["UDP"] }],
    ["interfaces", { interfaces: { include: ["eth0"] } }, { interfaces: { include: ["wg+"] } }],
    ["an excluded interface", { interfaces: { include: ["eth0"] } }, { interfaces: { exclude: ["eth+"] } }],
  ])("that meet in no %s are no trouble", (_what, upper, lower) => {
    expect(warned(at("low", 1, lower), at("high", 2, { ...open, ...upper }))).toEqual([]);
  });

  it("of Reject become Drop inbound where the node cannot reject, and the policy hears why", () => {
    const reject = { defaultAction: "Reject" };
    const policy = assigned({ firewall: { inbound: reject, outbound: reject } });
    const plan = merge([policy], [], { ...DEFAULT_NODE_SETTINGS, rejectObstacle: "nft is not installed" });
    expect([plan.inbound[0]?.defaultAction, plan.outbound[0]?.defaultAction]).toEqual(["Drop", "Reject"]);
    expect(plan.warnings).toEqual([
      { policy: "workers", reason: "RejectUnavailable", message: expect.stringContaining("nft is not installed") },
    ]);
    expect(merged([policy]).warnings).toEqual([]);
  });

  it("of different directions never meet", () => {
    const outbound = assigned({ priority: 9, firewall: { outbound: open } }, "out");
    expect(warned(at("in", 1, {}), outbound)).toEqual([]);
  });
});

describe("a group edit", () => {
  const policies = [judging("deny", [named("blocklist"), block("192.0.2.0/24")])];
  const before = merged(policies, [group("blocklist", ["198.51.100.0/24"])]);
  const after = merged(policies, [group("blocklist", ["198.51.100.0/25", "2001:db8::/48"])]);

  it("changes entries of sets and nothing else", () => {
    const bare = (plan: NodePlan) => ({ ...plan, sets: plan.sets.map(({ name, family }) => ({ name, family })) });
    expect(after.sets).not.toEqual(before.sets);
    expect(bare(after)).toEqual(bare(before));
  });

  it("to a group that is missing so far changes no rule either", () => {
    expect(merged(policies).inbound).toEqual(before.inbound);
  });
});

describe("exemptions of a limit", () => {
  const limiting = (exempt: object[]) => assigned({ rateLimits: [{ name: "l", maxConcurrent: 9, exempt }] });
  const setsOf = (exempt: object[], groups: GroupAddresses[] = []) => {
    const plan = merged([limiting(exempt)], groups);
    const named = Object.values(plan.rateLimits[0]?.exempt.sets ?? {});
    return plan.sets.filter(({ name }) => named.includes(name)).map(({ entries }) => entries);
  };

  it("are resolved as the peers of an allow are: blocks less their exceptions, and groups", () => {
    const except = { ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.128/25"] } };
    expect(setsOf([except, named("ours")], [group("ours", ["192.0.2.0/24", "2001:db8::/48"])])).toEqual([
      ["192.0.2.0/24", "203.0.113.0/25"],
      ["2001:db8::/48"],
    ]);
  });

  it("are nobody where there are none, and none of the family that they do not name", () => {
    expect(setsOf([])).toEqual([]);
    expect(setsOf([block("203.0.113.0/24")])).toEqual([["203.0.113.0/24"]]);
  });

  it("say so where a group is missing", () => {
    const { warnings } = merged([limiting([named("missing")])]);
    expect(warnings.map(({ policy, reason }) => [policy, reason])).toEqual([["workers", "AddressGroupMissing"]]);
  });
});

describe("hashes", () => {
  const entryHash = (entry: object, list = "allow") => {
    const inbound = merged([assigned({ firewall: { inbound: { [list]: [{ name: "a", ...entry }] } } })]).inbound[0];
    return [...(inbound?.allow ?? []), ...(inbound?.deny ?? [])][0]?.hash;
  };
  const base = { from: [block("203.0.113.0/24")], ports: [8443], protocols: ["TCP"] };

  it.each([
    ["sources", { ...base, from: [block("203.0.113.0/25")] }],
    ["ports", { ...base, ports: [8444] }],
    ["protocols", { ...base, protocols: ["UDP"] }],
  ])("of an entry change with its %s", (_what, entry) => {
    expect(entryHash(entry)).not.toBe(entryHash(base));
  });

  it("of an entry are 8 digits, other for a deny, the same for another spelling", () => {
    expect(entryHash(base)).toMatch(/^[0-9a-f]{8}$/);
    expect(entryHash(base, "deny")).not.toBe(entryHash(base));
    expect(entryHash({ ...base, ports: ["8443-8443"] })).toBe(entryHash(base));
  });

  const limitHash = (limit: object, name = "p") =>
    merged([assigned({ rateLimits: [{ name: "l", ...limit }] }, name)]).rateLimits[0]?.hash;
  const rate = { newConnections: { limit: 10, per: "Minute", burst: 20 } };

  it.each([
    ["limit", { newConnections: { limit: 11, per: "Minute", burst: 20 } }],
    ["unit", { newConnections: { limit: 10, per: "Hour", burst: 20 } }],
    ["burst", { newConnections: { limit: 10, per: "Minute", burst: 21 } }],
    ["ports", { ...rate, ports: [8443] }],
    ["protocols", { ...rate, protocols: ["UDP"] }],
    ["interfaces", { ...rate, interfaces: { include: ["eth0"] } }],
    ["name", { ...rate, name: "m" }],
    ["scope", { ...rate, scope: "Total" }],
    ["prefix length", { ...rate, prefixLength: { ipv6: 48 } }],
    ["exemptions", { ...rate, exempt: [block("203.0.113.0/24")] }],
    ["kind", { maxConcurrent: 10 }],
  ])("of a limit change with its %s", (_what, limit) => {
    expect(limitHash(limit)).not.toBe(limitHash(rate));
  });

  it("of equal limits of two policies differ, so that they share no budget", () => {
    expect(limitHash(rate, "p")).not.toBe(limitHash(rate, "q"));
  });

  it("of a scope change with the scope, not with its entries", () => {
    const scope = (inbound: object) => merged([assigned({ firewall: { inbound } })]).inbound[0]?.hash;
    expect(scope({ allow: [{ name: "a" }] })).toBe(scope({}));
    expect(scope({ trustCluster: false })).not.toBe(scope({}));
    expect(scope({ ports: [8443] })).not.toBe(scope({}));
  });
});

describe("merge of any policies", () => {
  const pool = fc.shuffledSubarray([...someGroups]);

  it("does not depend on the order of policies, entries, groups and addresses", () => {
    fc.assert(
      fc.property(anyAssigned, pool, (policies, groups) => {
        const turnedPolicies = policies.toReversed().map((one) => ({ ...one, plan: turnedLists(one.plan) }));
        const turnedGroups = groups.toReversed().map((one) => ({ ...one, addresses: one.addresses.toReversed() }));
        const { inbound, outbound } = DEFAULT_NODE_SETTINGS.failsafes;
        const failsafes = { inbound: inbound.toReversed(), outbound: outbound.toReversed() };
        const podInterfaces = DEFAULT_NODE_SETTINGS.podInterfaces.toReversed();
        const settings = { ...DEFAULT_NODE_SETTINGS, failsafes, podInterfaces };
        expect(merge(turnedPolicies, turnedGroups, settings)).toEqual(merged(policies, groups));
      }),
    );
  });

  it("changes none of its inputs and gives the same again", () => {
    fc.assert(
      fc.property(anyAssigned, pool, (policies, groups) => {
        const before = JSON.stringify([policies, groups]);
        expect(merged(policies, groups)).toEqual(merged(policies, groups));
        expect(JSON.stringify([policies, groups])).toBe(before);
      }),
    );
  });

  it("of one policy is that policy", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const one = assigned(spec);
        const plan = merged([one], someGroups);
        const { range, reserved = [] } = one.plan.ephemeralPorts ?? {};
        expect(plan.ephemeralPorts).toEqual({
          ...(range === undefined ? {} : { range: { ...range, policy: "workers" } }),
          reserved,
        });
        expect(Object.fromEntries(plan.sysctls.map(({ key, value }) => [key, value]))).toEqual(one.plan.sysctls);
        expect(plan.conflicts).toEqual([]);
        for (const direction of ["inbound", "outbound"] as const) {
          expect(plan[direction].map(({ policy: _policy, hash: _hash, ...scope }) => unresolved(scope))).toEqual(
            [one.plan[direction] ?? []].flat().map(unresolved),
          );
        }
        expect(plan.rateLimits.map(({ policy: _policy, hash: _hash, ...limit }) => ({ ...limit, exempt: [] }))).toEqual(
          one.plan.rateLimits.map((limit) => ({ ...limit, exempt: [] })),
        );
      }),
    );
  });

  it("reserves what any of them reserves", () => {
    fc.assert(
      fc.property(anyAssigned, (policies) => {
        const each = policies.map(({ plan }) => plan.ephemeralPorts?.reserved ?? []);
        expect(merged(policies).ephemeralPorts.reserved).toEqual(unionPorts(...each));
      }),
    );
  });

  it("names every set it speaks of exactly once, and keeps every name short enough for ipset", () => {
    fc.assert(
      fc.property(anyAssigned, pool, (policies, groups) => {
        const plan = merged(policies, groups);
        const directions = [...plan.inbound, ...plan.outbound];
        const entries = directions.flatMap(({ allow, deny }) => [...allow, ...deny]).map(({ peers }) => peers);
        const exempt = plan.rateLimits.map((limit) => limit.exempt);
        const { nodes, pods, services } = plan.trust;
        const used = [...entries, ...exempt, nodes, pods, services, plan.vips].flatMap((peers) =>
          peers === "Everybody" ? [] : Object.values(peers.sets),
        );
        const names = plan.sets.map(({ name }) => name);
        expect(names).toEqual([...new Set(used)].toSorted());
        // IPSET_MAXNAMELEN is 32 with the closing zero.
        expect(names.filter((name) => name.length > 31)).toEqual([]);
      }),
    );
  });
});

type Entries = { readonly allow: readonly { name: string }[]; readonly deny: readonly { name: string }[] };

/** Scope and entries without what resolution adds or takes away. */
function unresolved<T extends Entries>({ allow, deny, ...scope }: T): unknown {
  const bare = (list: readonly { name: string }[]) =>
    list.map((entry) => ({ ...entry, peers: undefined, hash: undefined }));
  return { ...scope, allow: bare(allow), deny: bare(deny) };
}

/** The lists of a plan whose order means nothing, turned round. */
function turnedLists(plan: AssignedPolicy["plan"]): AssignedPolicy["plan"] {
  const { inbound, outbound } = plan;
  const turnedEntries = (one: NonNullable<typeof inbound>) => ({
    ...one,
    allow: one.allow.toReversed(),
    deny: one.deny.toReversed(),
  });
  return {
    ...plan,
    rateLimits: plan.rateLimits.toReversed(),
    ...(inbound === undefined ? {} : { inbound: turnedEntries(inbound) }),
    ...(outbound === undefined ? {} : { outbound: turnedEntries(outbound) }),
  };
}

it("merges 100,000 group addresses (time logged)", () => {
  const addresses = manyCidrs();
  const groups = Array.from({ length: 50 }, (_, at) =>
    group(`list-${at}`, addresses.slice(2000 * at, 2000 * (at + 1)), { list: "big" }),
  );
  const policies = [judging("deny", [listed("big")], [listed("big")])];
  const start = performance.now();
  const plan = merged(policies, groups);
  console.log(`100,000 group addresses merged in ${Math.round(performance.now() - start)} ms`);
  expect(plan.sets.reduce((sum, { entries }) => sum + entries.length, 0)).toBe(100_000);
});
