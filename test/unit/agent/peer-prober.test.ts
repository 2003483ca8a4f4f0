import { afterEach, describe, expect, it } from "vitest";
import { type PathGuard, type PeerProber, peerProber } from "../../../src/agent/peer-prober.ts";
import type { PeerProbe } from "../../../src/api/peer-probes.ts";
import type { PortAnswer } from "../../../src/kernel/connect-port.ts";
import { waitFor } from "../../lab/wait-for.ts";

const path = { from: "198.18.0.12", to: "198.18.0.11" };
const probe = (id: string, ports: readonly number[]): PeerProbe => {
  return { id, node: "node1", at: "2026-01-01T00:00:00Z", ports: [...ports], paths: [path] };
};
const answers: Readonly<Record<number, PortAnswer>> = { 1: "open", 2: "refused", 3: "silent" };
const everything: PathGuard = async (_, ports) => ({ ports });

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

interface World {
  readonly prober: PeerProber;
  readonly connected: { port: number; at: number }[];
  readonly most: () => number;
  readonly told: () => number;
}

function world(options: {
  guard?: PathGuard;
  paceMilliseconds?: number;
  connect?: (port: number, signal: AbortSignal) => Promise<PortAnswer>;
}): World {
  const { guard = everything, paceMilliseconds = 0, connect = async (port) => answers[port] ?? "silent" } = options;
  const connected: { port: number; at: number }[] = [];
  let [now, most, told] = [0, 0, 0];
  const prober = peerProber({
    guard,
    paceMilliseconds,
    onResult: () => void (told += 1),
    connect: async ({ port }, signal) => {
      connected.push({ port, at: performance.now() });
      now += 1;
      most = Math.max(most, now);
      try {
        return await connect(port, signal);
      } finally {
        now -= 1;
      }
    },
  });
  const end = new AbortController();
  const running = prober.run(end.signal);
  stop = async () => {
    end.abort();
    await running;
  };
  return { prober, connected, most: () => most, told: () => told };
}
const resultsOf = ({ prober }: World, count: number) =>
  waitFor("results", () => (prober.results().length === count ? prober.results() : undefined), {
    timeoutMilliseconds: 2_000,
    intervalMilliseconds: 1,
  });

describe("a probe", () => {
  it("is made once, told, and forgotten when nobody asks for it any more", async () => {
    const one = world({});
    one.prober.serve([probe("a", [3, 2, 1])]);
    expect(await resultsOf(one, 1)).toEqual([{ id: "a", paths: [{ ...path, open: [1], refused: [2], silent: [3] }] }]);
    one.prober.serve([probe("a", [3, 2, 1]), probe("b", [1])]);
    await resultsOf(one, 2);
    expect([one.connected.length, one.told()]).toEqual([4, 2]);
    one.prober.serve([]);
    expect(one.prober.results()).toEqual([]);
  });

  it("opens eight connections at a time, and the next ones no faster than its pace", async () => {
    const ports = Array.from({ length: 40 }, (_, n) => n + 1);
    const release: (() => void)[] = [];
    const one = world({
      paceMilliseconds: 2,
      connect: () => new Promise((resolve) => release.push(() => resolve("silent"))),
    });
    one.prober.serve([probe("a", ports)]);
    await waitFor("eight", () => (one.connected.length === 8 ? true : undefined), { timeoutMilliseconds: 2_000 });
    const letGo = setInterval(() => release.splice(0).forEach((go) => go()), 1);
    await resultsOf(one, 1);
    clearInterval(letGo);
    expect(one.most()).toBe(8);
    const [first, last] = [one.connected.at(0)?.at ?? 0, one.connected.at(-1)?.at ?? 0];
    expect(last - first).toBeGreaterThan(39 * 2 - 10);
  });

  it("that is withdrawn while it is made ends, and the next one begins", async () => {
    const one = world({
      connect: (port, signal) =>
        port === 9
          ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }))
          : Promise.resolve("open"),
    });
    one.prober.serve([probe("hangs", [9])]);
    await waitFor("the connection", () => one.connected[0], { timeoutMilliseconds: 2_000 });
    one.prober.serve([probe("next", [1])]);
    expect((await resultsOf(one, 1))[0]?.id).toBe("next");
  });

  it("says what kept it from trying, and connects to nothing that it may not", async () => {
    const one = world({ guard: async () => ({ ports: [1], problem: "rules refuse some of the ports" }) });
    one.prober.serve([probe("a", [1, 2, 3])]);
    const paths = [{ ...path, open: [1], refused: [], silent: [], problem: "rules refuse some of the ports" }];
    expect(await resultsOf(one, 1)).toEqual([{ id: "a", paths }]);
    expect(one.connected.map(({ port }) => port)).toEqual([1]);
  });

  it("that fails by a fault of its own node says so, beside what was measured before", async () => {
    const one = world({
      connect: async (port) => {
        if (port > 10) throw new Error("connect ENETUNREACH");
        return "open";
      },
    });
    one.prober.serve([probe("a", [1, 2, 11, 12])]);
    const [result] = await resultsOf(one, 1);
    expect(result?.paths).toEqual([{ ...path, open: [1, 2], refused: [], silent: [], problem: "connect ENETUNREACH" }]);
  });
});
