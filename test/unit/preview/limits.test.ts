import { describe, expect, it } from "vitest";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { preview } from "../../../src/preview/preview.ts";
import type { Flow } from "../../../src/preview/types.ts";
import { assigned, someGroups } from "../plan/policies.ts";

const world = { groups: { before: someGroups, after: someGroups }, settings: DEFAULT_NODE_SETTINGS };
const flow = (peer: string, port: number, connections: number, more: Partial<Flow> = {}): Flow => {
  const family = peer.includes(":") ? 6 : 4;
  const opening = { direction: "Inbound", family, protocol: "TCP", peer, port, local: "" } as const;
  return { openings: [opening], connections, ...more };
};
const limiting = (limit: object, more: object = {}) =>
  assigned({ rateLimits: [{ name: "few", ports: ["1024-65535"], ...limit }], ...more }, "web");
const ten = limiting({ maxConcurrent: 10 });

function judged(
  flows: readonly Flow[],
  after: readonly AssignedPolicy[] = [ten],
  before: readonly AssignedPolicy[] = [],
) {
  const use = { places: [], flows, flowsComplete: true, gaps: [] };
  return preview([{ name: "a", before, after, use }], world);
}

describe("a limit on concurrent connections", () => {
  it("is over what a source has open, on all of its ports together: that cannot all be opened again", () => {
    const hits = judged([flow("203.0.113.7", 8443, 8), flow("203.0.113.7", 9100, 6), flow("203.0.113.8", 8443, 10)]);
    expect(hits).toMatchObject({
      outcome: "Cuts",
      flows: [],
      limits: [{ policy: "web", limit: "few", maxConcurrent: 10, source: "203.0.113.7", connections: 14, over: 4 }],
    });
    expect(hits.limits).toHaveLength(1);
  });

  it("counts those of a prefix, or of everybody, together", () => {
    const flows = [flow("203.0.113.7", 8443, 6), flow("203.0.113.8", 8443, 6), flow("2001:db8:99::1", 8443, 11)];
    const sources = (limit: object) =>
      judged(flows, [limiting(limit)]).limits.map(({ source, over }) => [source, over]);
    expect(sources({ maxConcurrent: 10 })).toEqual([["2001:db8:99::/64", 1]]);
    expect(sources({ maxConcurrent: 10, prefixLength: { ipv4: 24, ipv6: 64 } })).toEqual([
      ["203.0.113.0/24", 2],
      ["2001:db8:99::/64", 1],
    ]);
    expect(sources({ maxConcurrent: 10, scope: "Total" })).toEqual([
      ["0.0.0.0/0", 2],
      ["::/0", 1],
    ]);
  });

  it("counts neither the trusted cluster, nor who is exempt, nor failsafes, nor what the node opened, nor other ports", () => {
    const outbound = flow("203.0.113.7", 8443, 99).openings.map((one) => ({ ...one, direction: "Outbound" as const }));
    const exempting = limiting({
      maxConcurrent: 1,
      ports: ["1-65535"],
      exempt: [{ ipBlock: { cidr: "203.0.113.0/24" } }],
    });
    const flows = [
      flow("198.18.0.1", 8443, 99),
      flow("203.0.113.7", 8443, 99),
      flow("198.51.100.9", 22, 99),
      { openings: outbound, connections: 99 },
    ];
    expect(judged(flows, [exempting]).limits).toEqual([]);
    expect(judged([flow("203.0.113.7", 80, 99)]).limits).toEqual([]);
  });

  it("counts nothing that the policies refuse: that is hit already", () => {
    const closed = limiting({ maxConcurrent: 1 }, { firewall: { inbound: {} } });
    expect(judged([flow("203.0.113.7", 8443, 9)], [closed])).toMatchObject({ limits: [], flows: [{ connections: 9 }] });
  });

  it("is no news where it allowed no more before", () => {
    const flows = [flow("203.0.113.7", 8443, 14)];
    expect(judged(flows, [ten], [ten]).limits).toEqual([]);
    expect(judged(flows, [ten], [limiting({ maxConcurrent: 5 })])).toMatchObject({ outcome: "Changes", limits: [] });
    expect(judged(flows, [limiting({ maxConcurrent: 5 })], [ten]).limits).toMatchObject([{ over: 9 }]);
  });

  it("depends on the interface where it names some and theirs is not known", () => {
    const one = limiting({ maxConcurrent: 10, interfaces: { include: ["eth0"] } });
    expect(judged([flow("203.0.113.7", 8443, 14)], [one]).limits).toMatchObject([{ certainty: "Depends" }]);
    expect(judged([flow("203.0.113.7", 8443, 14, { device: "eth1" })], [one]).limits).toEqual([]);
    expect(judged([flow("203.0.113.7", 8443, 14, { device: "eth0" })], [one]).limits).toMatchObject([
      { certainty: "Certain" },
    ]);
  });
});

it("says of limits on new connections that they are not judged, where they are new", () => {
  const rate = (limit: number) => limiting({ newConnections: { limit, per: "Minute", burst: 20 } });
  const flows = [flow("203.0.113.7", 8443, 14)];
  expect(judged(flows, [rate(10)])).toMatchObject({
    outcome: "Changes",
    limits: [],
    gaps: [{ reason: "RatesNotJudged", count: 1, nodes: ["a"] }],
  });
  expect(judged(flows, [rate(10), assigned({ firewall: { outbound: {} } }, "other")], [rate(10)]).gaps).toEqual([]);
});
