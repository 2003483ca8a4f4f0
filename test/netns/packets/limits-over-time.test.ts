import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

const [first, second] = ["203.0.113.7", "203.0.113.8"];
/** Two of one /64, and one of another. */
const subscriber = ["2001:db8:113::7", "2001:db8:113::8"];
const neighbour = "2001:db8:51::9";
/** All of these are the flooder's own, though nobody has a route back. */
const SPOOFED = "198.18.128.0/17";
const ATTEMPT_MILLISECONDS = 150;
const SECONDS = 4;

let lab: Lab;
let node: Node;
let client: Host;
let outside: Traffic;
let flood: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  const sources = [`${first}/24`, `${second}/24`, ...[...subscriber, neighbour].map((address) => `${address}/64`)];
  client = await lab.client("outside", { sources });
  await (await node.traffic()).listen("tcp", [8443]);
  outside = await client.traffic();
  const flooder = await lab.client("flooder");
  await flooder.exec("ip", ["route", "add", "local", SPOOFED, "dev", "lo"]);
  flood = await flooder.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

/** Tries without pause for a while, from each source in turn. Returns how many each was let in, and for how long it tried. */
async function hammer(sources: readonly string[]): Promise<{ accepted: number[]; seconds: number }> {
  const accepted = sources.map(() => 0);
  const attempts = Array.from({ length: 60 * sources.length }, (_, index) => {
    const from = sources[index % sources.length] ?? first;
    return { from, to: from.includes(":") ? node.ipv6 : node.ipv4, port: 8443 };
  });
  const start = performance.now();
  let last = start;
  while (performance.now() - start < SECONDS * 1000) {
    const began = performance.now();
    const results = await outside.connectAll(attempts, {
      timeoutMilliseconds: ATTEMPT_MILLISECONDS,
      concurrency: 15 * sources.length,
    });
    for (const [index, { outcome }] of results.entries()) {
      const source = index % sources.length;
      accepted[source] = (accepted[source] ?? 0) + Number(outcome === "connected");
    }
    // The later half of a round begins when the earlier one has timed out.
    last = Math.max(began, performance.now() - ATTEMPT_MILLISECONDS);
  }
  return { accepted, seconds: (last - start) / 1000 };
}

function expectWithin5Percent(counted: number, expected: number): void {
  expect(Math.abs(counted - expected) / expected, `${counted} of ${Math.round(expected)}`).toBeLessThan(0.05);
}

it("lets in what burst and limit allow, for each IPv4 source and each IPv6 /64, within 5 %", async () => {
  const perSource = { name: "fast", newConnections: { limit: 40, per: "Second", burst: 60 } };
  await enforcer.enforce({ limits: { rateLimits: [perSource] } });
  const { accepted, seconds } = await hammer([first, second, ...subscriber, neighbour]);
  const [one = 0, other = 0, low = 0, high = 0, next = 0] = accepted;
  for (const count of [one, other, low + high, next]) expectWithin5Percent(count, 60 + 40 * seconds);
});

it.each(["PerSource", "Total"])(
  "lets an allowed source in as if nobody else were there while spoofed sources that no policy allows flood it (%s)",
  async (scope) => {
    const allow = [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
    const limit = { name: "fast", scope, newConnections: { limit: 40, per: "Second", burst: 60 } };
    await enforcer.enforce({ both: { firewall: { inbound: { allow } }, rateLimits: [limit] } });
    const stop = new AbortController();
    const flooding = floodUntil(stop.signal);
    const { accepted, seconds } = await hammer([first]);
    stop.abort();
    expect(await flooding).toBeGreaterThan(500);
    expectWithin5Percent(accepted[0] ?? 0, 60 + 40 * seconds);
    // Nor do they take its place in the table.
    const { stdout } = await node.exec("grep", ["-rhc", "", "/proc/net/ipt_hashlimit"]);
    expect(stdout.trim()).toBe("1");
  },
);

/** Each SYN from another source. Returns how many were sent; all go unanswered. */
async function floodUntil(signal: AbortSignal): Promise<number> {
  let sent = 0;
  while (!signal.aborted) {
    const attempts = Array.from({ length: 100 }, () => {
      sent += 1;
      return { from: `198.18.${128 + ((sent >> 8) & 127)}.${sent & 255}`, to: node.ipv4, port: 8443 };
    });
    const results = await flood.connectAll(attempts, { timeoutMilliseconds: ATTEMPT_MILLISECONDS });
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["timeout"]));
  }
  return sent;
}

it("lets in what burst and limit allow, in total, within 5 %", async () => {
  const total = { name: "all", scope: "Total", newConnections: { limit: 60, per: "Second", burst: 90 } };
  await enforcer.enforce({ limits: { rateLimits: [total] } });
  const { accepted, seconds } = await hammer([first, second]);
  expectWithin5Percent(
    accepted.reduce((sum, count) => sum + count, 0),
    90 + 60 * seconds,
  );
});

it("does not count what an answered connection sends again", async () => {
  const slow = { name: "slow", newConnections: { limit: 1, per: "Hour", burst: 3 } };
  await enforcer.enforce({ limits: { rateLimits: [slow] } });
  await client.exec("iptables-nft", ["-A", "OUTPUT", "-p", "tcp", "--syn", "--dport", "8443"]);
  const answers = ["INPUT", "-p", "tcp", "--sport", "8443", "-j", "DROP"];
  await client.exec("iptables-nft", ["-A", ...answers]);
  const deaf = await outside.connect({ from: first, to: node.ipv4, port: 8443 }, { timeoutMilliseconds: 2_500 });
  await client.exec("iptables-nft", ["-D", ...answers]);
  const { stdout } = await client.exec("iptables-nft-save", ["-c"]);
  const sent = /^\[(\d+):\d+\] -A OUTPUT /m.exec(stdout)?.[1];
  expect(deaf.outcome).toBe("timeout");
  // After 1 s, and then after 2 s or 3 s (tcp_syn_linear_timeouts).
  expect(Number(sent)).toBeGreaterThanOrEqual(2);
  const results = await outside.connectAll(
    Array.from({ length: 4 }, () => ({ from: first, to: node.ipv4, port: 8443 })),
  );
  expect(results.filter(({ outcome }) => outcome === "connected")).toHaveLength(2);
});
