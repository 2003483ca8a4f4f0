import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";

const sources = [
  "203.0.113.7/24",
  "203.0.113.8/24",
  "203.0.113.9/24",
  "198.51.100.9/24",
  "2001:db8:113::7/64",
  "2001:db8:113::8/64",
  "2001:db8:51::9/64",
];
/** All of these are the client's own, though nobody has a route back. */
const SPOOFED = { ipv4: "198.18.128.0/17", ipv6: "2001:db8:bad::/48" };
const FLOOD = 300;
const perHour = { name: "slow", newConnections: { limit: 10, per: "Hour", burst: 8 } };

let lab: Lab;
let node: Node;
let peer: Node;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  peer = await lab.node("peer");
  const client = await lab.client("outside", { sources });
  await (await node.traffic()).listen("tcp", [80, 8443]);
  await (await node.traffic()).listen("udp", [8443], node.ipv4);
  await client.exec("sysctl", ["-qw", "net.ipv6.ip_nonlocal_bind=1"]);
  for (const spoofed of Object.values(SPOOFED))
    await client.exec("ip", ["route", "add", "local", spoofed, "dev", "lo"]);
  outside = await client.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function accepted(count: number, from: string, to = node.ipv4, port = 8443): Promise<number> {
  const results = await outside.connectAll(Array.from({ length: count }, () => ({ from, to, port })));
  return results.filter(({ outcome }) => outcome === "connected").length;
}

async function dropped({ kernel }: Enforcer, entry: string): Promise<number> {
  const counters = await kernel.counters();
  return counters.reduce((sum, { comment, packets }) => sum + (comment.startsWith(`${entry}/`) ? packets : 0), 0);
}

it("cuts a burst of new connections from one source and serves another in full", async () => {
  await enforcer.enforce({ limits: { rateLimits: [perHour] } });
  expect(await accepted(20, "203.0.113.7")).toBe(8);
  expect(await accepted(8, "203.0.113.8")).toBe(8);
});

it("gives all addresses of an IPv6 /64 one budget", async () => {
  await enforcer.enforce({ limits: { rateLimits: [perHour] } });
  expect(await accepted(5, "2001:db8:113::7", node.ipv6)).toBe(5);
  expect(await accepted(5, "2001:db8:113::8", node.ipv6)).toBe(3);
});

it("counts larger or smaller sources where the policy says so", async () => {
  const limit = { ...perHour, prefixLength: { ipv4: 24, ipv6: 128 } };
  await enforcer.enforce({ limits: { rateLimits: [limit] } });
  expect(await accepted(5, "203.0.113.7")).toBe(5);
  expect(await accepted(5, "203.0.113.8")).toBe(3);
  expect(await accepted(5, "198.51.100.9")).toBe(5);
  expect(await accepted(10, "2001:db8:113::7", node.ipv6)).toBe(8);
  expect(await accepted(10, "2001:db8:113::8", node.ipv6)).toBe(8);
});

it("shares a total among all sources of a family", async () => {
  await enforcer.enforce({ limits: { rateLimits: [{ ...perHour, scope: "Total" }] } });
  expect(await accepted(5, "203.0.113.7")).toBe(5);
  expect(await accepted(5, "198.51.100.9")).toBe(3);
  expect(await accepted(5, "2001:db8:113::7", node.ipv6)).toBe(5);
  expect(await accepted(5, "2001:db8:51::9", node.ipv6)).toBe(3);
});

it("spends nothing of the total on what a source has too much", async () => {
  const each = { ...perHour, newConnections: { ...perHour.newConnections, burst: 3 } };
  await enforcer.enforce({ limits: { rateLimits: [{ ...perHour, name: "all", scope: "Total" }, each] } });
  expect(await accepted(20, "203.0.113.7")).toBe(3);
  expect(await accepted(20, "203.0.113.8")).toBe(3);
  expect(await accepted(20, "203.0.113.9")).toBe(2);
});

it("counts on its interfaces only, and more ports than fit a rule together", async () => {
  const ports = [...Array.from({ length: 8 }, (_, index) => 2000 + 2 * index), "3000-3001", "3100-3101", 80, 8443];
  const on = (...include: string[]) => ({ limits: { rateLimits: [{ ...perHour, ports, interfaces: { include } }] } });
  await enforcer.enforce(on("wg0"));
  expect(await accepted(20, "203.0.113.7")).toBe(20);
  await enforcer.enforce(on("eth0", "wg0"));
  expect(await accepted(5, "203.0.113.7", node.ipv4, 80)).toBe(5);
  expect(await accepted(5, "203.0.113.7", node.ipv4, 8443)).toBe(3);
});

it("leaves the exempt alone: by block less its exceptions, and by group, whose edit is known at once", async () => {
  const exempt = [
    { ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.8/32"] } },
    { ipBlock: { cidr: "2001:db8:113::7/128" } },
    { addressGroup: { name: "partners" } },
  ];
  const limits = { rateLimits: [{ ...perHour, exempt }] };
  const partners = (addresses: string[]) => [{ name: "partners", labels: {}, addresses }];
  await enforcer.enforce({ limits }, partners(["198.51.100.0/24"]));
  expect(await accepted(20, "203.0.113.7")).toBe(20);
  expect(await accepted(20, "203.0.113.8")).toBe(8);
  expect(await accepted(20, "198.51.100.9")).toBe(20);
  expect(await accepted(20, "2001:db8:113::7", node.ipv6)).toBe(20);
  expect(await accepted(20, "2001:db8:113::8", node.ipv6)).toBe(8);
  await enforcer.enforce({ limits }, partners(["203.0.113.8/32"]));
  expect(await accepted(20, "198.51.100.9")).toBe(8);
  expect(await accepted(20, "203.0.113.8")).toBe(20);
});

it("limits alone isolate nothing, and count only their ports", async () => {
  await enforcer.enforce({ limits: { rateLimits: [perHour] } });
  expect(await accepted(20, "203.0.113.9", node.ipv4, 80)).toBe(20);
  expect(await accepted(1, "203.0.113.9")).toBe(1);
});

it("counts what the policy allows and nothing else: refused sources cost the allowed ones nothing", async () => {
  const inbound = { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] };
  await enforcer.enforce({ both: { firewall: { inbound }, rateLimits: [perHour] } });
  expect(await accepted(20, "198.51.100.9")).toBe(0);
  expect(await accepted(20, "203.0.113.7")).toBe(8);
});

it.each([
  ["each source", {}],
  ["all sources", { scope: "Total" }],
])("loses nothing of the budget of %s to a flood of spoofed sources that no policy allows", async (_whose, scope) => {
  const from = [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8:113::/64" } }];
  const firewall = { inbound: { allow: [{ name: "office", from }] } };
  const standing = { name: "standing", maxConcurrent: 8, ...scope };
  await enforcer.enforce({ both: { firewall, rateLimits: [{ ...perHour, ...scope }, standing] } });
  const flood = Array.from({ length: FLOOD }, (_, index) => [
    { from: `198.18.${128 + (index >> 8)}.${index & 255}`, to: node.ipv4, port: 8443 },
    { from: `2001:db8:bad:${index.toString(16)}::1`, to: node.ipv6, port: 8443 },
  ]).flat();
  const flooded = await outside.connectAll(flood, { timeoutMilliseconds: 300 });
  expect(new Set(flooded.map(({ outcome, error }) => error ?? outcome))).toEqual(new Set(["timeout"]));
  expect(await dropped(enforcer, "both/default")).toBeGreaterThanOrEqual(2 * FLOOD);
  expect(await accepted(8, "203.0.113.7")).toBe(8);
  expect(await accepted(8, "2001:db8:113::7", node.ipv6)).toBe(8);
});

it("counts UDP flows and SCTP associations where it names them, together with TCP connections", async () => {
  const limit = { ...perHour, protocols: ["TCP", "UDP", "SCTP"] };
  await enforcer.enforce({ limits: { rateLimits: [limit] } });
  const attempt = { from: "203.0.113.7", to: node.ipv4, port: 8443 };
  const opened = async (count: number, protocol: "udp" | "sctp") => {
    const results = await outside.connectAll(Array.from({ length: count }, () => ({ ...attempt, protocol })));
    return results.filter(({ outcome }) => outcome === "connected").length;
  };
  expect([await opened(3, "udp"), await opened(3, "sctp"), await accepted(1, "203.0.113.7")]).toEqual([3, 3, 1]);
  expect([await opened(4, "udp"), await opened(4, "sctp"), await accepted(4, "203.0.113.7")]).toEqual([1, 0, 0]);
});

it("exempts the trusted cluster", async () => {
  await enforcer.enforce({ limits: { rateLimits: [perHour] } }, [clusterGroup("nodes", [`${peer.ipv4}/32`])]);
  const results = await (await peer.traffic()).connectAll(
    Array.from({ length: 20 }, () => ({ to: node.ipv4, port: 8443 })),
  );
  expect(results.filter(({ outcome }) => outcome === "connected")).toHaveLength(20);
});

it("remembers what a source has spent when other rules change", async () => {
  const inbound = (cidr: string) => ({
    firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr } }] }] } },
    rateLimits: [perHour],
  });
  await enforcer.enforce({ both: inbound("203.0.113.0/24") });
  expect(await accepted(8, "203.0.113.7")).toBe(8);
  await enforcer.enforce({ both: inbound("203.0.112.0/23") });
  expect(await accepted(4, "203.0.113.7")).toBe(0);
});
