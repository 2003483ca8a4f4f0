import { describe, expect, it } from "vitest";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { preview } from "../../../src/preview/preview.ts";
import type { Flow, NodeUse, Place } from "../../../src/preview/types.ts";
import { assigned, group, someGroups } from "../plan/policies.ts";

const world = { groups: { before: someGroups, after: someGroups }, settings: DEFAULT_NODE_SETTINGS };
const nothing: NodeUse = { places: [], flows: [], flowsComplete: true, gaps: [] };

const flow = (peer: string, port: number, connections: number, more: Partial<Flow["openings"][number]> = {}): Flow => {
  const opening = { direction: "Inbound", family: 4, protocol: "TCP", peer, port, local: "", ...more } as const;
  return { openings: [opening], connections };
};
const place = (kind: Place["kind"], port: number, name: string): Place => {
  return { kind, protocol: "TCP", address: "::", port, name };
};
const node = (
  name: string,
  after: readonly AssignedPolicy[],
  use: Partial<NodeUse>,
  before: readonly AssignedPolicy[] = [],
) => {
  return { name, before, after, use: { ...nothing, ...use } };
};

const closed = assigned({ firewall: { inbound: {} } }, "web");
const cutting = assigned({ firewall: { existing: "Cut", inbound: {} } }, "web");
const officeOnly = assigned(
  { firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } } },
  "web",
);
const exporter = { places: [place("Listener", 9100, "node_exporter")] };

describe("open connections", () => {
  it("are added up over the nodes by other end and port, with the process that listens", () => {
    const hits = preview(
      [
        node("a", [cutting], { ...exporter, flows: [flow("10.0.3.7", 9100, 8), flow("10.0.3.8", 9100, 1)] }),
        node("b", [cutting], { ...exporter, flows: [flow("10.0.3.7", 9100, 6)] }),
      ],
      world,
    );
    expect(hits.outcome).toBe("Cuts");
    expect(hits.flows).toMatchObject([
      { effect: "Cut", peer: "10.0.3.7", port: 9100, names: ["node_exporter"], connections: 14, nodes: ["a", "b"] },
      { effect: "Cut", peer: "10.0.3.8", connections: 1, nodes: ["a"] },
    ]);
    expect(hits.flows[0]).toMatchObject({ policy: "web", entry: "default", certainty: "Certain", atLeast: false });
  });

  it("live on where the policy keeps them, and are hit all the same: they cannot be opened again", () => {
    const hits = preview([node("a", [closed], { flows: [flow("10.0.3.7", 9100, 2)] })], world);
    expect(hits).toMatchObject({ outcome: "Cuts", flows: [{ effect: "Refused", connections: 2 }] });
  });

  it("are hit where a policy that kept them begins to cut", () => {
    const hits = preview([node("a", [cutting], { flows: [flow("10.0.3.7", 9100, 2)] }, [closed])], world);
    expect(hits.flows).toMatchObject([{ effect: "Cut", connections: 2 }]);
  });

  it("are not hit twice: what is refused already is not news", () => {
    const more = [closed, assigned({ sysctls: { "net.ipv4.tcp_syncookies": "1" } }, "other")];
    const hits = preview([node("a", more, { flows: [flow("10.0.3.7", 9100, 2)] }, [closed])], world);
    expect(hits).toMatchObject({ outcome: "Changes", flows: [] });
  });

  it("count as at least, where not all of them are known", () => {
    const hits = preview([node("a", [closed], { flows: [flow("10.0.3.7", 9100, 2)], flowsComplete: false })], world);
    expect(hits.flows[0]?.atLeast).toBe(true);
  });

  it("of nodes and of pods are the trusted cluster's", () => {
    const flows = [flow("198.18.0.1", 9100, 2), flow("198.18.64.5", 9100, 2)];
    expect(preview([node("a", [cutting], { flows })], world)).toMatchObject({ outcome: "Changes", flows: [] });
  });

  it("that the node opened are hit by what judges outbound", () => {
    const outbound = assigned({ firewall: { outbound: { ports: ["1-65535"] } } }, "out");
    const flows = [flow("192.0.2.77", 5432, 3, { direction: "Outbound" })];
    expect(preview([node("a", [outbound], { flows })], world).flows).toMatchObject([
      { direction: "Outbound", peer: "192.0.2.77", port: 5432, names: [] },
    ]);
  });

  it("depend on the interface where a policy names some and theirs is not known", () => {
    const named = assigned({ firewall: { inbound: { interfaces: { include: ["eth0"] } } } }, "web");
    const flows = [flow("10.0.3.7", 9100, 2)];
    const hits = preview([node("a", [named], { flows })], world);
    expect(hits).toMatchObject({ outcome: "Cuts", flows: [{ certainty: "Depends" }] });
    const known = flows.map((one) => ({ ...one, device: "eth1" }));
    expect(preview([node("a", [named], { flows: known })], world).flows).toEqual([]);
  });
});

describe("places", () => {
  it("of Services that only the cluster still reaches are cut, whoever is connected", () => {
    const places = [place("NodePort", 30080, "shop/web")];
    const hits = preview([node("a", [closed], { places }), node("b", [closed], { places })], world);
    expect(hits).toMatchObject({
      outcome: "Cuts",
      places: [{ change: "Closed", before: "Unjudged", after: "Cluster", names: ["shop/web"], nodes: ["a", "b"] }],
    });
  });

  it("behind loadBalancerSourceRanges lose only whom these let in", () => {
    const at = (...sources: string[]) => ({
      ...place("LoadBalancer", 443, "shop/web"),
      address: "192.0.2.80",
      sources,
    });
    const hit = (one: Place) => preview([node("a", [officePorts], { places: [one] })], world);
    const officePorts = assigned(
      {
        firewall: {
          inbound: {
            ports: ["1-65535"],
            allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }],
          },
        },
      },
      "web",
    );
    expect(hit(at("203.0.113.0/25"))).toMatchObject({ outcome: "Changes", places: [] });
    expect(hit(at("198.51.100.0/24"))).toMatchObject({
      outcome: "Cuts",
      places: [{ change: "Closed", before: "Everybody", after: "Nobody", sources: ["198.51.100.0/24"] }],
    });
    expect(hit(at("203.0.113.0/24", "198.51.100.0/24"))).toMatchObject({
      outcome: "Changes",
      places: [{ change: "Narrowed", before: "Everybody", after: "Some" }],
    });
  });

  it("that are narrowed to some are told, and are what the policy is for", () => {
    const hits = preview([node("a", [officeOnly], { places: [place("NodePort", 30080, "shop/web")] })], world);
    // There is no IPv6 in the list.
    expect(hits.places.map(({ change, after, family }) => [change, after, family])).toEqual([
      ["Closed", "Cluster", 6],
      ["Narrowed", "Some", 4],
    ]);
    const both = assigned(
      {
        firewall: {
          inbound: {
            allow: [
              {
                name: "office",
                from: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8:10::/48" } }],
              },
            ],
          },
        },
      },
      "web",
    );
    const narrowed = preview([node("a", [both], { places: [place("NodePort", 30080, "shop/web")] })], world);
    expect(narrowed).toMatchObject({ outcome: "Changes", places: [{ change: "Narrowed" }] });
    const checked = preview([node("a", [both], { places: [place("HealthCheck", 30081, "shop/web")] })], world);
    expect(checked.outcome).toBe("Cuts");
  });

  it("where a process listens and nobody is connected are told, and cut nothing", () => {
    const hits = preview([node("a", [closed], exporter)], world);
    expect(hits).toMatchObject({ outcome: "Changes", places: [{ change: "Closed", names: ["node_exporter"] }] });
  });

  it("open where a policy goes, or allows more", () => {
    const hits = preview([node("a", [], exporter, [closed]), node("b", [officeOnly], exporter, [closed])], world);
    expect(hits.places.map(({ change, before, after, nodes }) => [change, before, after, nodes])).toEqual([
      ["Opened", "Cluster", "Some", ["b"]],
      ["Opened", "Cluster", "Unjudged", ["a"]],
    ]);
  });

  it("that other sources reach than before are told apart from those where nothing changes", () => {
    const allow = (cidr: string) =>
      assigned({ firewall: { inbound: { allow: [{ name: "a", from: [{ ipBlock: { cidr } }] }] } } }, "web");
    const between = (before: string, after: string) =>
      preview([node("a", [allow(after)], exporter, [allow(before)])], world).places.map(({ change }) => change);
    expect(between("192.0.2.0/24", "198.51.100.0/24")).toEqual(["Changed"]);
    expect(between("192.0.2.0/24", "192.0.2.0/25")).toEqual(["Narrowed"]);
    expect(between("192.0.2.0/25", "192.0.2.0/24")).toEqual(["Opened"]);
  });
});

describe("SSH sessions", () => {
  it("are kept by the failsafe, and those on another port are not", () => {
    const all = assigned({ firewall: { existing: "Cut", inbound: { ports: ["1-65535"] } } }, "all");
    const use = {
      places: [place("Listener", 2222, "sshd")],
      flows: [flow("192.0.2.77", 22, 2), flow("192.0.2.77", 2222, 1)],
    };
    expect(preview([node("a", [all], use)], world).sessions).toEqual([
      { peer: "192.0.2.77", port: 2222, sessions: 1, fate: "Cut", by: "policy all, default", nodes: ["a"] },
      { peer: "192.0.2.77", port: 22, sessions: 2, fate: "Kept", by: "failsafe ssh", nodes: ["a"] },
    ]);
  });
});

describe("a fleet", () => {
  it("is told in groups of nodes with the same change, the largest first; nodes without a change are left out", () => {
    const other = assigned({ sysctls: { "net.ipv4.tcp_syncookies": "1" } }, "other");
    const gaps = [{ reason: "NotAudited" as const }];
    const hits = preview(
      [
        node("a", [other], {}, []),
        node("b", [closed], { gaps }),
        node("c", [closed], { gaps }),
        node("d", [closed], { gaps }, [closed]),
      ],
      world,
    );
    expect(hits.changes.map(({ nodes }) => nodes)).toEqual([["b", "c"], ["a"]]);
    expect(hits.gaps).toEqual([{ reason: "NotAudited", nodes: ["b", "c"] }]);
  });

  it("changes by an address group alone", () => {
    const listed = assigned(
      {
        firewall: {
          inbound: { allow: [{ name: "all" }], deny: [{ name: "b", from: [{ addressGroup: { name: "listed" } }] }] },
        },
      },
      "web",
    );
    const before = [...someGroups, group("listed", ["192.0.2.0/24"])];
    const after = [...someGroups, group("listed", ["192.0.2.0/24", "10.0.3.0/24"])];
    const nodes = [node("a", [listed], { flows: [flow("10.0.3.7", 9100, 2)] }, [listed])];
    expect(preview(nodes, { ...world, groups: { before, after } })).toMatchObject({
      outcome: "Cuts",
      changes: [{ policies: [], rules: { sets: [{ change: "Changed", added: ["10.0.3.0/24"] }] } }],
      flows: [{ policy: "web", entry: "b", connections: 2 }],
    });
  });

  it("has no change where nothing differs", () => {
    expect(preview([node("a", [closed], exporter, [closed])], world)).toMatchObject({
      outcome: "NoChange",
      changes: [],
    });
  });
});
