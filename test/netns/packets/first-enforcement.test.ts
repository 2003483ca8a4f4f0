import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { OpenConnection, Traffic } from "../../lab/traffic/traffic.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { enforceAsAgent } from "./agent-enforcement.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

/** Nothing is allowed in either direction, so what passes passes because it was there before. */
const nobody = { firewall: { inbound: {}, outbound: {} } };
/** For each protocol, family and direction: 100 TCP streams and 100 UDP exchanges. */
const FLOWS = 25;
const PORT = 8443;
/** The agent's own default is 30 s; these flows speak several times a second. */
const PRIME_MILLISECONDS = 1_500;
const PAUSE_MILLISECONDS = 200;

let lab: Lab;
let outside: Host;

beforeAll(async () => {
  lab = await createLab();
  outside = await lab.client("outside");
  const traffic = await outside.traffic();
  await Promise.all([traffic.listen("udp", [PORT]), traffic.listen("tcp", [PORT])]);
}, 60_000);
afterAll(() => lab.close());

interface Flows {
  readonly node: Node;
  readonly enforcer: Enforcer;
  readonly udp: readonly OpenConnection[];
  readonly tcp: readonly OpenConnection[];
}

/** A node whose conntrack has never been active, with flows under way that it opened and that were opened to it. */
async function nodeWithFlows(name: string): Promise<Flows> {
  const node = await lab.node(name);
  const [inside, beyond] = [await node.traffic(), await outside.traffic()];
  await Promise.all([inside.listen("udp", [PORT]), inside.listen("tcp", [PORT])]);
  const ways: readonly (readonly [Traffic, Host])[] = [
    [inside, outside],
    [beyond, node],
  ];
  const open = (protocol: "tcp" | "udp") => {
    const attempts = ways.flatMap(([from, to]) => [to.ipv4, to.ipv6].map((address) => ({ from, address })));
    const all = attempts.flatMap((one) => Array.from({ length: FLOWS }, () => one));
    return Promise.all(all.map(({ from, address }) => from.open({ protocol, to: address, port: PORT })));
  };
  const [udp, tcp] = [await open("udp"), await open("tcp")];
  const enforcer = await createEnforcer(node);
  expect((await enforcer.kernel.facts()).conntrackActive, "conntrack is active already").toBe(false);
  return { node, enforcer, udp, tcp };
}

async function exchanged(connections: readonly OpenConnection[]): Promise<number> {
  const results = await Promise.all(connections.map((one) => one.exchange(1_500)));
  return results.filter((result) => result === "echoed").length;
}

/** Keeps all of them speaking until it is stopped. */
function speaking(connections: readonly OpenConnection[]): { stop(): Promise<{ exchanges: number; lost: number }> } {
  const sum = { exchanges: 0, lost: 0 };
  let stopped = false;
  const talks = connections.map(async (one) => {
    while (!stopped) {
      sum.exchanges += 1;
      if ((await one.exchange(4_000)) !== "echoed") sum.lost += 1;
      await wait(PAUSE_MILLISECONDS);
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(talks);
      return sum;
    },
  };
}

describe("the first enforcement on a node whose conntrack was never active", () => {
  it("takes nothing from 100 TCP streams and 100 UDP exchanges under way, in both directions and families", async () => {
    const { node, enforcer, udp, tcp } = await nodeWithFlows("primed");
    expect([udp, tcp].map(({ length }) => length)).toEqual([100, 100]);
    const talk = speaking([...udp, ...tcp]);
    const { primedMilliseconds, held } = await enforceAsAgent(enforcer.kernel, [assigned(nobody)], PRIME_MILLISECONDS);
    expect(primedMilliseconds).toBeGreaterThanOrEqual(PRIME_MILLISECONDS - 50);
    expect(await enforcer.kernel.verify(held?.rules ?? { tables: [], sets: [], sysctls: [] }, "Full")).toEqual([]);
    const { exchanges, lost } = await talk.stop();
    expect(exchanges).toBeGreaterThan(600);
    expect(lost).toBe(0);
    expect(await exchanged([...udp, ...tcp])).toBe(200);
    const beyond = await outside.traffic();
    const newcomers = await beyond.connectAll([node.ipv4, node.ipv6].map((to) => ({ to, port: PORT })));
    expect(newcomers.map(({ outcome }) => outcome)).toEqual(["timeout", "timeout"]);
  });

  it("without priming keeps the TCP streams, which conntrack had never seen, and loses the UDP exchanges", async () => {
    const { enforcer, udp, tcp } = await nodeWithFlows("unprimed");
    await enforcer.enforce({ nobody });
    expect(await exchanged(tcp)).toBe(100);
    expect(await exchanged(udp), "priming is for nothing").toBe(0);
  });
});

it("would lose the answers under way without priming, which is what priming is for", async () => {
  const script = `
    let asked = 0;
    const socket = require("node:dgram").createSocket("udp4");
    socket.on("message", (message, { port, address }) => {
      asked += 1;
      if (asked === ${FLOWS}) console.log("all asked");
      setTimeout(() => socket.send(message, port, address), 1000);
    });
    socket.bind(7001, () => console.log("bound"));`;
  const slow = await outside.spawn("slow", process.execPath, ["-e", script]);
  await slow.waitForLog(/bound/, 5_000);
  // Asked before the enforcement and answered after it: to an unprimed conntrack the answer is the first packet of a flow.
  const cold = await lab.node("cold");
  const own = await createEnforcer(cold);
  const inside = await cold.traffic();
  const pending = Promise.all(
    Array.from({ length: FLOWS }, () =>
      inside.connect({ protocol: "udp", to: outside.ipv4, port: 7001 }, { timeoutMilliseconds: 3_000 }),
    ),
  );
  await slow.waitForLog(/all asked/, 5_000);
  await own.enforce({ nobody });
  expect((await pending).filter(({ outcome }) => outcome === "connected")).toHaveLength(0);
});
