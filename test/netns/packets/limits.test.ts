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
];
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
  outside = await client.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function accepted(count: number, from: string, to = node.ipv4, port = 8443): Promise<number> {
  const results = await outside.connectAll(Array.from({ length: count }, () => ({ from, to, port })));
  return results.filter(({ outcome }) => outcome === "connected").length;
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
