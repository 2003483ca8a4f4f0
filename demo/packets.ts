import { served } from "../test/lab/operator-cluster.ts";
import type { AttemptResult } from "../test/lab/traffic/protocol.ts";
import { type OpenConnection, type Traffic } from "../test/lab/traffic/traffic.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import type { DemoNode } from "./demo-cluster.ts";
import { sources } from "./policy.ts";
import type { Show } from "./show.ts";

const BURST = 20;

function outcome({ outcome: happened, milliseconds, error }: AttemptResult): string {
  const time = `after ${Math.round(milliseconds)} ms`;
  return happened === "failed" ? `failed: ${error}` : `${happened} ${time}`;
}

/** Who may connect and who may not: to the node's own process and, before its DNAT, to the NodePort. */
export async function showWhoPasses(
  show: Show,
  outside: Traffic,
  { node, nodePortsOverIpv6 }: { readonly node: DemoNode; readonly nodePortsOverIpv6: boolean },
): Promise<void> {
  const cases = [
    { who: "office, IPv4", from: sources.office, to: node.ipv4, passes: true },
    { who: "office, IPv6", from: sources.office6, to: node.ipv6, passes: true },
    { who: "on the blocklist, though in the office's range", from: sources.blocked, to: node.ipv4, passes: false },
    { who: "stranger, IPv4", from: sources.stranger, to: node.ipv4, passes: false },
    { who: "stranger, IPv6", from: sources.stranger6, to: node.ipv6, passes: false },
  ];
  const places = [
    { what: "host port", port: served.hostPort },
    { what: "NodePort", port: served.nodePort },
  ];
  const attempts = cases
    .flatMap((one) => places.map((place) => ({ ...one, ...place })))
    .filter(({ to, port }) => nodePortsOverIpv6 || port !== served.nodePort || to === node.ipv4);
  const results = await outside.connectAll(attempts.map(({ from, to, port }) => ({ from, to, port })));
  for (const [index, attempt] of attempts.entries()) {
    const result = results[index];
    if (result === undefined) throw new Error("an attempt without a result");
    show.check(
      `${attempt.from} (${attempt.who}) -> ${attempt.what} ${attempt.port}/tcp`,
      attempt.passes ? "connected" : "dropped: no answer at all",
      outcome(result),
      result.outcome === (attempt.passes ? "connected" : "timeout"),
    );
  }
}

/** A burst from one source is cut at the limit; another source's budget is untouched. */
export async function showRateLimit(show: Show, outside: Traffic, node: DemoNode): Promise<void> {
  const attempt = (from: string) => ({ from, to: node.ipv4, port: served.hostPort });
  const burst = await outside.connectAll(Array.from({ length: 2 * BURST }, () => attempt(sources.hasty)));
  const others = await outside.connectAll(Array.from({ length: 5 }, () => attempt(sources.patient)));
  const count = (results: readonly AttemptResult[]): number =>
    results.filter((one) => one.outcome === "connected").length;
  // One token comes back every 6 s, so a burst that takes a moment may get one more.
  const accepted = count(burst);
  show.check(
    `${sources.hasty} opens ${2 * BURST} connections at once`,
    `${BURST} pass (10 a minute after a burst of ${BURST})`,
    `${accepted} passed`,
    accepted >= BURST && accepted <= BURST + 1,
  );
  show.check(`${sources.patient} opens 5 at the same time`, "5 pass", `${count(others)} passed`, count(others) === 5);
}

/** Ports that the kernel chooses for new outbound connections. */
export async function showEphemeralRange(
  show: Show,
  node: DemoNode,
  server: { address: string; port: number },
): Promise<void> {
  const inside = await node.traffic();
  const results = await inside.connectAll(
    Array.from({ length: 20 }, () => ({ to: server.address, port: server.port })),
  );
  const ports = results.flatMap(({ outcome: happened, localPort }) =>
    happened === "connected" && localPort ? [localPort] : [],
  );
  const [low, high] = [Math.min(...ports), Math.max(...ports)];
  show.check(
    "20 new outbound connections of the node",
    "local ports within 49152-65535, none reserved",
    `${ports.length} connected, from ports ${low} to ${high}`,
    ports.length === 20 && low >= 49152 && !ports.some((port) => port === 50000 || (port >= 50100 && port <= 50110)),
  );
}

/** A connection that was there before the policy. */
export async function showOldConnection(show: Show, connection: OpenConnection): Promise<void> {
  const exchange = await connection.exchange();
  show.check(
    `${connection.localAddress}'s connection from before the policy (it could not be opened now)`,
    "still flows",
    exchange === "echoed" ? "what it sent came back" : exchange,
    exchange === "echoed",
  );
}

/** Whom the node dropped, as its agent logs it within seconds. */
export async function showDropLog(show: Show, { name, agentLog }: DemoNode): Promise<void> {
  show.step(`Who was dropped on ${name}`);
  const names = (line: string): boolean => line.includes('"msg":"dropped"') && line.includes(`"${sources.stranger}"`);
  const line = await waitFor(
    "the agent to log who was dropped",
    async () => (await agentLog.read()).split("\n").find(names),
    { timeoutMilliseconds: 30_000 },
  ).catch(() => undefined);
  show.command(agentLog.search(`${sources.stranger}.*"dropped"`), line ?? "");
  show.check(
    "the agent's log",
    "names who was dropped, within seconds",
    line ? sources.stranger : "nobody",
    line !== undefined,
  );
}
