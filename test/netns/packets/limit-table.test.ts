import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { agentMetrics } from "../../../src/agent/agent-metrics.ts";
import { readLimitFills } from "../../../src/agent/limit-fill.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { limitTables } from "../../../src/render/hashlimit.ts";
import { render } from "../../../src/render/render.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

const FLOODED = 7000;
const ANSWERED = 7001;
/** Forgotten after 60 s, which is longer than the flood takes. */
const newConnections = { limit: 10, per: "Minute", burst: 10 };
const plan = merge(
  [assigned({ rateLimits: [{ name: "rate", protocols: ["UDP"], newConnections }] }, "limits")],
  [],
  DEFAULT_NODE_SETTINGS,
);
const [table] = limitTables(plan);

let lab: Lab;
let node: Node;
let client: Host;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  client = await lab.client("outside", { sources: ["203.0.113.7/24", "203.0.113.8/24", "2001:db8:113::8/64"] });
  await (await node.traffic()).listen("udp", [ANSWERED]);
  // So that no datagram of the flood is a connection to conntrack, whose table is the machine's.
  for (const tool of ["iptables", "ip6tables"])
    await node.exec(tool, ["-A", "INPUT", "-p", "udp", "--dport", `${FLOODED}`, "-j", "DROP"]);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());

/** Datagrams from one address after another, of twice as many as there is room for. */
async function flood(sources: number): Promise<LabProcess> {
  const rules = [
    "table ip spread { chain out { type filter hook output priority raw;",
    `udp dport ${FLOODED} notrack; udp dport ${FLOODED} ip saddr set numgen inc mod ${sources} offset ${10 * 2 ** 24}`,
    "}",
    "}",
  ];
  await client.exec("nft", ["-f", "-"], { input: `${rules.join("\n")}\n` });
  const script = `
    const socket = require("node:dgram").createSocket("udp4");
    const send = () => socket.send("x", ${FLOODED}, "${node.ipv4}", () => setImmediate(send));
    for (let under = 0; under < 100; under++) send();`;
  return client.spawn("flood", process.execPath, ["-e", script]);
}

async function reach(from: string, to: string): Promise<string> {
  const traffic = await client.traffic();
  return (await traffic.connect({ protocol: "udp", from, to, port: ANSWERED })).outcome;
}

it("takes as many sources as it says and refuses who comes then, and the metric tells", async () => {
  if (table === undefined) throw new Error("the limit has no table");
  await enforcer.kernel.apply(render(plan));
  expect(await reach("203.0.113.7", node.ipv4)).toBe("connected");

  const log = createLogger({ name: "limit-table", level: "fatal" });
  const fill = async () => (await readLimitFills(enforcer.kernel, plan, log)).find(({ family }) => family === 4);
  const flooding = await flood(2 * table.max[4]);
  let seen = await fill();
  await waitFor(
    "the table to be full",
    async () => {
      seen = await fill();
      return seen !== undefined && seen.sources >= seen.max ? seen : undefined;
    },
    { timeoutMilliseconds: 25_000, intervalMilliseconds: 300, lastSeen: () => JSON.stringify(seen) },
  );
  expect(seen).toMatchObject({ sources: table.max[4], max: 65_536 });

  expect(await reach("203.0.113.8", node.ipv4), "a newcomer").toBe("timeout");
  expect(await reach("203.0.113.7", node.ipv4), "a source that has its place").toBe("connected");
  expect(await reach("2001:db8:113::8", node.ipv6), "the other family").toBe("connected");
  await flooding.stop();

  const registry = new Registry();
  agentMetrics(registry).limitFills(await readLimitFills(enforcer.kernel, plan, log));
  const labels = '{policy="limits",limit="rate",family="ipv4"}';
  const metrics = await registry.metrics();
  expect(metrics).toContain(`port_hardening_limit_sources${labels} 65536`);
  expect(metrics).toContain(`port_hardening_limit_sources_max${labels} 65536`);
}, 60_000);
