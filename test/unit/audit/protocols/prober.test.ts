import { expect, it } from "vitest";
import type { ProbedListener } from "../../../../src/audit/protocols/probe-plan.ts";
import { prober } from "../../../../src/audit/protocols/prober.ts";
import { tcp } from "../subject.ts";
import { SSH, served } from "./served.ts";

const listener = (port: number, startTicks = 1): ProbedListener => ({
  address: "0.0.0.0",
  port,
  name: `TCP 0.0.0.0:${port} x`,
  identity: `${port} ${startTicks}`,
  processId: port,
});

function world({ ports = [2201, 2202, 2203], more = {} } = {}) {
  const asked: string[] = [];
  const listening = async () => ports.map((port) => tcp(port, port));
  const open = served(Object.fromEntries(ports.map((port) => [port, SSH])), asked);
  const { probe } = prober({ open, listening, clock: () => 0, settleMilliseconds: 1, ...more });
  return {
    asked,
    ports,
    round: (
      listeners: readonly ProbedListener[],
      { anew = false, now = 1, signal = new AbortController().signal } = {},
    ) => probe(listeners, { anew, now, signal }),
  };
}

it("connects to a listener once, however often listeners change", async () => {
  const { asked, round } = world();
  await round([listener(2201)]);
  const { known } = await round([listener(2201), listener(2202)]);
  expect(asked).toEqual(["127.0.0.1 2201", "127.0.0.1 2202"]);
  expect([...known.keys()]).toEqual(["2201 1", "2202 1"]);
});

it("connects again when another process took its place, and at an audit", async () => {
  const { asked, round } = world();
  await round([listener(2201)]);
  await round([listener(2201, 2)]);
  await round([listener(2201, 2)], { anew: true });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "127.0.0.1 2201"));
});

it("connects to nobody who is gone a moment later", async () => {
  const { asked, round, ports } = world();
  const probed = round([listener(2201), listener(2202)]);
  ports.splice(0, 1);
  expect([...(await probed).gone]).toEqual(["2201 1"]);
  expect(asked).toEqual(["127.0.0.1 2202"]);
});

it("makes one round after the other, so that no process is asked twice at once", async () => {
  const { asked, round } = world();
  await Promise.all([round([listener(2201)]), round([listener(2201)])]);
  expect(asked).toHaveLength(1);
});

it("keeps what was known of those whose turn did not come, and asks them first next time", async () => {
  const { asked, round } = world();
  const all = [listener(2201), listener(2202)];
  await round([listener(2201)], { now: 5 });
  await round(all, { now: 6 });
  const { known } = await round(all, { anew: true, now: 7, signal: AbortSignal.abort() });
  expect([...known.values()].map(({ probedAt }) => probedAt)).toEqual([5, 6]);
  asked.length = 0;
  await round(all.toReversed(), { anew: true, now: 8 });
  expect(asked).toEqual(["127.0.0.1 2201", "127.0.0.1 2202"]);
});

it("goes on after a round that failed", async () => {
  const { round } = world({ more: { listening: () => Promise.reject(new Error("no sockets")) } });
  await expect(round([listener(2201)])).rejects.toThrow("no sockets");
  expect((await round([])).known.size).toBe(0);
});

it("ends a round in its time, with what it has", async () => {
  const { round } = world({ more: { roundMilliseconds: 1, settleMilliseconds: 50 } });
  expect((await round([listener(2201)])).known.size).toBe(0);
});

it("asks IPv4's loopback where a listener on all addresses has no other", async () => {
  const asked: string[] = [];
  const server = served({ 2201: SSH }, asked);
  const open: typeof server = async (to) => {
    if (to.address !== "::1") return server(to);
    throw Object.assign(new Error("connect EADDRNOTAVAIL ::1:2201"), { code: "EADDRNOTAVAIL" });
  };
  const { probe } = prober({
    open,
    listening: async () => [tcp(2201, 1, "::")],
    clock: () => 0,
    settleMilliseconds: 1,
  });
  const { signal } = new AbortController();
  const { known } = await probe([{ ...listener(2201), address: "::" }], { anew: false, now: 1, signal });
  expect([...known.values()]).toMatchObject([{ result: { kind: "Answered", service: { protocol: "SSH" } } }]);
  expect(asked).toEqual(["127.0.0.1 2201"]);
});
