import { afterAll, beforeAll, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { OpenConnection } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

const nobody = { firewall: { inbound: {} } };
const FLOWS = 20;

let lab: Lab;
let outside: Host;

beforeAll(async () => {
  lab = await createLab();
  outside = await lab.client("outside");
  await (await outside.traffic()).listen("udp", [7000]);
}, 60_000);
afterAll(() => lab.close());

/** A node whose conntrack has never been active, with flows under way: it asks, the outside answers to a judged port. */
async function nodeWithFlows(
  name: string,
): Promise<{ node: Node; enforcer: Enforcer; udp: OpenConnection[]; tcp: OpenConnection[] }> {
  const node = await lab.node(name);
  const inside = await node.traffic();
  await inside.listen("tcp", [8443]);
  const udp = await Promise.all(
    Array.from({ length: FLOWS }, () => inside.open({ protocol: "udp", to: outside.ipv4, port: 7000 })),
  );
  const from = await outside.traffic();
  const tcp = await Promise.all(Array.from({ length: FLOWS }, () => from.open({ to: node.ipv4, port: 8443 })));
  return { node, enforcer: await createEnforcer(node), udp, tcp };
}

async function exchanged(connections: readonly OpenConnection[]): Promise<number> {
  const results = await Promise.all(connections.map((one) => one.exchange(1_000)));
  return results.filter((result) => result === "echoed").length;
}

it("knows that conntrack was not active, and sees the flows once it is primed: none loses anything", async () => {
  const { enforcer, udp, tcp } = await nodeWithFlows("primed");
  expect((await enforcer.kernel.facts()).conntrackActive).toBe(false);
  await enforcer.kernel.prime();
  expect(await exchanged(udp)).toBe(FLOWS);
  expect((await enforcer.kernel.facts()).conntrackActive).toBe(true);
  await enforcer.enforce({ nobody });
  expect(await exchanged(udp)).toBe(FLOWS);
  expect(await exchanged(tcp)).toBe(FLOWS);
});

it("keeps TCP streams that conntrack had never seen, also without priming", async () => {
  const { enforcer, tcp } = await nodeWithFlows("unprimed");
  await enforcer.enforce({ nobody });
  expect(await exchanged(tcp)).toBe(FLOWS);
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
