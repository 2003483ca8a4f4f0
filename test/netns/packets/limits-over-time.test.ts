import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

const [first, second] = ["203.0.113.7", "203.0.113.8"];
const ATTEMPT_MILLISECONDS = 150;
const SECONDS = 4;

let lab: Lab;
let node: Node;
let client: Host;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  client = await lab.client("outside", { sources: [`${first}/24`, `${second}/24`] });
  await (await node.traffic()).listen("tcp", [8443]);
  outside = await client.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

/** Tries without pause for a while, from each source in turn. Returns how many each was let in, and for how long it tried. */
async function hammer(sources: readonly string[]): Promise<{ accepted: number[]; seconds: number }> {
  const accepted = sources.map(() => 0);
  const attempts = Array.from({ length: 60 * sources.length }, (_, index) => ({
    from: sources[index % sources.length] ?? first,
    to: node.ipv4,
    port: 8443,
  }));
  const start = performance.now();
  let last = start;
  while (performance.now() - start < SECONDS * 1000) {
    const began = performance.now();
    const results = await outside.connectAll(attempts, {
      timeoutMilliseconds: ATTEMPT_MILLISECONDS,
      concurrency: 30 * sources.length,
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

it("lets in what burst and limit allow, for each source, within 5 %", async () => {
  const perSource = { name: "fast", newConnections: { limit: 40, per: "Second", burst: 60 } };
  await enforcer.enforce({ limits: { rateLimits: [perSource] } });
  const { accepted, seconds } = await hammer([first, second]);
  expect(accepted).toHaveLength(2);
  for (const count of accepted) expectWithin5Percent(count, 60 + 40 * seconds);
});

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
