import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { OpenConnection, Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";

const [first, second, other] = ["203.0.113.7", "203.0.113.8", "198.51.100.9"];
const [first6, second6, other6] = ["2001:db8:113::7", "2001:db8:113::8", "2001:db8:51::9"];
const three = { name: "three", maxConcurrent: 3 };

let lab: Lab;
let node: Node;
let peer: Node;
let client: Host;
let outside: Traffic;
let enforcer: Enforcer;
const standing: OpenConnection[] = [];

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  peer = await lab.node("peer");
  const sources = [
    ...[first, second, other].map((address) => `${address}/24`),
    ...[first6, second6, other6].map((address) => `${address}/64`),
  ];
  client = await lab.client("outside", { sources });
  const inside = await node.traffic();
  await inside.listen("tcp", [80, 8443]);
  await inside.listen("udp", [8443]);
  outside = await client.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());
afterEach(async () => {
  for (const connection of standing.splice(0)) await connection.close();
});

/** Opens up to `count` connections that stand until the test ends. Returns those that came about. */
async function open(count: number, from: string, attempt: Partial<Attempt> = {}): Promise<OpenConnection[]> {
  const to = from.includes(":") ? node.ipv6 : node.ipv4;
  const opened: OpenConnection[] = [];
  for (let at = 0; at < count; at += 1) {
    const results = await Promise.allSettled([
      outside.open({ from, to, port: 8443, ...attempt }, { timeoutMilliseconds: 400 }),
    ]);
    for (const result of results) if (result.status === "fulfilled") opened.push(result.value);
  }
  standing.push(...opened);
  return opened;
}

async function opened(count: number, from: string, attempt?: Partial<Attempt>): Promise<number> {
  return (await open(count, from, attempt)).length;
}

it("lets so many connections of a source stand, and as many of another", async () => {
  await enforcer.enforce({ limits: { rateLimits: [three] } });
  expect(await opened(4, first)).toBe(3);
  expect(await opened(4, second)).toBe(3);
  expect(await opened(1, first, { port: 80 })).toBe(1);
});

it("counts an IPv6 /64 as one source, and others where the policy says so", async () => {
  await enforcer.enforce({ limits: { rateLimits: [three] } });
  expect(await opened(2, first6)).toBe(2);
  expect(await opened(2, second6)).toBe(1);
  expect(await opened(4, other6)).toBe(3);
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, prefixLength: { ipv4: 24, ipv6: 128 } }] } });
  expect(await opened(4, first6)).toBe(3);
  expect(await opened(4, second6)).toBe(3);
  expect(await opened(2, first)).toBe(2);
  expect(await opened(2, second)).toBe(1);
  expect(await opened(4, other)).toBe(3);
});

it("lets so many stand in total, each family for itself", async () => {
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, scope: "Total" }] } });
  expect(await opened(2, first)).toBe(2);
  expect(await opened(2, other)).toBe(1);
  expect(await opened(2, first6)).toBe(2);
  expect(await opened(2, other6)).toBe(1);
});

it.each([{}, { scope: "Total" }])("frees a place when a connection closes, and none before (%j)", async (scope) => {
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, ...scope }] } });
  const [one] = await open(3, first);
  expect(await opened(2, first)).toBe(0);
  await one?.close();
  expect(await opened(2, first)).toBe(1);
  for (const connection of standing) if (connection !== one) expect(await connection.exchange()).toBe("echoed");
});

it("counts nothing that it refuses: after a flood, a place that becomes free is free at once", async () => {
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, scope: "Total" }] } });
  const [one] = await open(3, first);
  const flood = Array.from({ length: 3_000 }, () => ({ from: first, to: node.ipv4, port: 8443 }));
  const flooded = await outside.connectAll(flood, { timeoutMilliseconds: 500 });
  expect(new Set(flooded.map(({ outcome }) => outcome))).toEqual(new Set(["timeout"]));
  await one?.close();
  expect(await opened(2, second)).toBe(1);
});

it("keeps the count while other entries change, and an agent restarts", async () => {
  const spec = (limit: number, cidr: string) => ({
    firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr } }] }] } },
    rateLimits: [
      three,
      { name: "rate", newConnections: { limit, per: "Second", burst: 100 } },
      { name: "more", maxConcurrent: limit },
    ],
  });
  await enforcer.enforce({ both: spec(100, "203.0.113.0/24") });
  expect(await opened(2, first)).toBe(2);
  await enforcer.enforce({ both: spec(200, "203.0.112.0/23") });
  expect(await opened(3, first)).toBe(1);
  await (await createEnforcer(node)).enforce({ both: spec(200, "203.0.112.0/23"), another: { rateLimits: [three] } });
  expect(await opened(2, first)).toBe(0);
});

it("begins to count anew when it is edited itself: what stands from before is unknown to it", async () => {
  await enforcer.enforce({ limits: { rateLimits: [three] } });
  expect(await opened(4, first)).toBe(3);
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, maxConcurrent: 2 }] } });
  expect(await opened(3, first)).toBe(2);
});

it("counts all its ports together, however many rules they take", async () => {
  const ports = [...Array.from({ length: 14 }, (_, index) => 2000 + 2 * index), 80, 8443];
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, ports }] } });
  expect(await opened(2, first, { port: 80 })).toBe(2);
  expect(await opened(2, first)).toBe(1);
});

it("counts a UDP flow once, though it sends more than one datagram, and is never answered", async () => {
  await enforcer.enforce({ limits: { rateLimits: [{ ...three, protocols: ["UDP"] }] } });
  const flows = await open(4, first, { protocol: "udp" });
  expect(flows).toHaveLength(3);
  for (const flow of flows) expect(await flow.exchange()).toBe("echoed");
  await client.exec("bash", ["-c", `exec 3>/dev/udp/${node.ipv4}/9000; for i in {1..50}; do echo >&3; done; true`]);
  const counters = await enforcer.kernel.counters();
  expect(counters.filter(({ family, packets }) => family === 4 && packets > 1)).toEqual([]);
});

it("neither counts nor limits the exempt and the trusted cluster", async () => {
  const exempt = [{ ipBlock: { cidr: `${first}/32` } }, { ipBlock: { cidr: `${first6}/128` } }];
  const limits = { rateLimits: [{ ...three, scope: "Total", exempt }] };
  await enforcer.enforce({ limits }, [clusterGroup("nodes", [`${peer.ipv4}/32`])]);
  expect(await opened(5, first)).toBe(5);
  expect(await opened(5, first6)).toBe(5);
  const trusted = await peer.traffic();
  for (let at = 0; at < 5; at += 1) standing.push(await trusted.open({ to: node.ipv4, port: 8443 }));
  expect(await opened(4, second)).toBe(3);
  expect(await opened(4, second6)).toBe(3);
});

it("counts only what the policy allows", async () => {
  const firewall = { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } };
  await enforcer.enforce({ both: { firewall, rateLimits: [{ ...three, scope: "Total" }] } });
  expect(await opened(4, other)).toBe(0);
  expect(await opened(4, first)).toBe(3);
});
