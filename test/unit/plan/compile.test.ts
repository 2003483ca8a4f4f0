import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/plan/compile.ts";
import { CompileError } from "../../../src/plan/compile-error.ts";
import { planHash } from "../../../src/plan/plan-hash.ts";
import type { PortRange } from "../../../src/plan/types.ts";
import { anySpec, node, planOf, policy, turned } from "./policies.ts";

const allowing = (entry: object, scope: object = {}) =>
  planOf({ firewall: { inbound: { ...scope, allow: [{ name: "a", ...entry }] } } }).inbound?.allow[0];

describe("ephemeral ports", () => {
  const ephemeral = (spec: object, nodePortRange?: PortRange) =>
    compile(policy({ ephemeralPorts: spec }), node, { allowedSysctls: [], ...(nodePortRange && { nodePortRange }) })
      ?.ephemeralPorts;

  it("reserve the NodePorts where the policy says so, with what else is reserved", () => {
    expect(ephemeral({ reserved: [32768, 50000], reserveNodePorts: true })?.reserved).toEqual([
      { from: 30000, to: 32768 },
      { from: 50000, to: 50000 },
    ]);
    expect(ephemeral({ reserveNodePorts: true }, { from: 20000, to: 20099 })?.reserved).toEqual([
      { from: 20000, to: 20099 },
    ]);
    expect(ephemeral({ reserveNodePorts: false })?.reserved).toEqual([]);
  });

  it("know the NodePorts where the range meets them", () => {
    expect(ephemeral({ range: "32767-40000" })?.nodePorts).toEqual({ from: 30000, to: 32767 });
    expect(ephemeral({ range: "32768-40000" })).not.toHaveProperty("nodePorts");
  });

  it("are refused where the NodePorts leave too few of the range, with the way out", () => {
    const few = () => ephemeral({ range: "20000-22000", reserveNodePorts: true }, { from: 21000, to: 21999 });
    expect(few).toThrow(CompileError);
    expect(few).toThrow(/reserveNodePorts: leaves 1001 ports of range 20000-22000.*21000-21999.*move the range/);
  });
});

describe("compile", () => {
  it("has no plan for a node that the policy does not select", () => {
    const selective = policy({ nodeSelector: { matchLabels: { role: "worker" } } });
    expect(compile(selective, { name: "n", labels: { role: "edge" } }, { allowedSysctls: [] })).toBeUndefined();
    expect(compile(selective, node, { allowedSysctls: [] })).toBeDefined();
  });

  it("asks nothing where the policy says nothing", () => {
    expect(planOf({})).toEqual({ format: 1, sysctls: {}, rateLimits: [] });
  });

  it("compiles the sample of the three practices", () => {
    const plan = planOf({
      ephemeralPorts: { range: "49152-65535" },
      firewall: { inbound: { allow: [{ name: "admins", from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] } },
      rateLimits: [{ name: "new-connections", newConnections: { limit: 10, per: "Minute", burst: 20 } }],
    });
    const unprivileged = [{ from: 1024, to: 65535 }];
    expect(plan).toEqual({
      format: 1,
      // Without a word of pods: what asks for nothing there is the revision that it was.
      ephemeralPorts: { range: { from: 49152, to: 65535 }, reserved: [], persist: true },
      sysctls: {},
      inbound: {
        ports: unprivileged,
        protocols: ["TCP", "UDP"],
        interfaces: { include: [], exclude: [] },
        trustCluster: true,
        allow: [
          {
            name: "admins",
            peers: { cidrs: ["192.0.2.0/24"], groups: [] },
            ports: unprivileged,
            protocols: ["TCP", "UDP"],
          },
        ],
        deny: [],
        defaultAction: "Drop",
      },
      rateLimits: [
        {
          name: "new-connections",
          ports: unprivileged,
          protocols: ["TCP"],
          interfaces: { include: [], exclude: [] },
          prefixLength: { ipv4: 32, ipv6: 64 },
          exempt: { cidrs: [], groups: [] },
          newConnections: { limit: 10, per: "Minute", burst: 20 },
        },
      ],
    });
  });

  it.each([
    ["each source", {}, { ipv4: 32, ipv6: 64 }],
    ["each source where it says so", { scope: "PerSource" }, { ipv4: 32, ipv6: 64 }],
    ["larger sources", { prefixLength: { ipv4: 24, ipv6: 48 } }, { ipv4: 24, ipv6: 48 }],
    ["larger sources of one family", { prefixLength: { ipv6: 128 } }, { ipv4: 32, ipv6: 128 }],
    ["all sources together", { scope: "Total" }, { ipv4: 0, ipv6: 0 }],
  ])("limits %s", (_what, scope, prefixLength) => {
    expect(planOf({ rateLimits: [{ name: "l", maxConcurrent: 7, ...scope }] }).rateLimits).toMatchObject([
      { maxConcurrent: 7, prefixLength, exempt: { cidrs: [], groups: [] } },
    ]);
  });

  it("fills an entry's ports and protocols in from the scope", () => {
    const entry = allowing({}, { ports: [9100, "30000-32767"], protocols: ["UDP"] });
    expect(entry).toMatchObject({
      peers: "Everybody",
      ports: [
        { from: 9100, to: 9100 },
        { from: 30000, to: 32767 },
      ],
      protocols: ["UDP"],
    });
  });

  it("takes an exception out of its own peer only, then joins the peers", () => {
    const from = [
      { ipBlock: { cidr: "198.51.100.0/24", except: ["198.51.100.128/25"] } },
      { ipBlock: { cidr: "198.51.100.192/26" } },
    ];
    expect(allowing({ from })?.peers).toEqual({ cidrs: ["198.51.100.0/25", "198.51.100.192/26"], groups: [] });
  });

  it("says nobody, not everybody, where the exceptions take all", () => {
    const from = [{ ipBlock: { cidr: "198.51.100.0/24", except: ["198.51.100.0/24"] } }];
    expect(allowing({ from })?.peers).toEqual({ cidrs: [], groups: [] });
  });

  it("keeps groups as references, each once", () => {
    const byName = { addressGroup: { name: "blocklist" } };
    const bySelector = { addressGroup: { selector: { matchLabels: { list: "partners" } } } };
    const peers = allowing({ from: [byName, bySelector, byName] })?.peers;
    expect(peers).toEqual({
      cidrs: [],
      groups: [{ name: "blocklist" }, { selector: { matchLabels: { list: "partners" } } }],
    });
  });

  it("refuses a sysctl outside the allow-list, naming policy, field and list", () => {
    const risky = policy({ sysctls: { "net.ipv4.ip_forward": "0", "net.ipv4.tcp_syncookies": "1" } });
    const attempt = () => compile(risky, node, { allowedSysctls: ["net.ipv4.tcp_syncookies"] });
    expect(attempt).toThrow(CompileError);
    expect(attempt).toThrow(
      expect.objectContaining({
        policy: "workers",
        field: "spec.sysctls[net.ipv4.ip_forward]",
        message: expect.stringContaining("allowedSysctls: net.ipv4.tcp_syncookies"),
      }),
    );
  });

  it("lets a peer that it does not know open nothing, but never deny less than meant", () => {
    const unknown = (list: "allow" | "deny") => {
      const known = policy({ firewall: { inbound: {} } });
      const { firewall } = known.spec;
      if (firewall?.inbound === undefined) throw new Error("the API's parser lost inbound");
      const { inbound } = firewall;
      const spec = {
        ...known.spec,
        firewall: { ...firewall, inbound: { ...inbound, [list]: [{ name: "a", from: [{}] }] } },
      };
      return compile({ ...known, spec }, node, { allowedSysctls: [] });
    };
    expect(unknown("allow")?.inbound?.allow[0]?.peers).toEqual({ cidrs: [], groups: [] });
    expect(() => unknown("deny")).toThrow("spec.firewall.inbound.deny[a].from[0]");
  });

  it("makes the same plan whatever the order of lists and keys", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const plan = planOf(spec);
        expect(planOf(turned(spec))).toEqual(plan);
        const hash = (of: object) => planHash({ priority: 0, mode: "Enforce", plan: of });
        expect(hash(planOf(turned(spec)))).toBe(hash(plan));
      }),
    );
  });
});
