import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../../../src/audit/protocols/probe.ts";
import { type KeptProbes, type ProbedListener, planProbes } from "../../../../src/audit/protocols/probe-plan.ts";
import { probeInTurn } from "../../../../src/audit/protocols/probe-queue.ts";
import type { Protocol } from "../../../../src/audit/protocols/service.ts";

const cost = { connections: 1, bytesSent: 0, bytesReceived: 0, milliseconds: 1 };
const answered = (protocol: Protocol): ProbeResult => ({
  kind: "Answered",
  service: { protocol, encryption: "None", detail: "" },
  cost,
});
const notReached: ProbeResult = { kind: "NotReached", reason: "ECONNREFUSED", cost };

const web: ProbedListener = { address: "::", port: 8080, name: "TCP [::]:8080 web", identity: "8080/web/100" };
const database: ProbedListener = { address: "::", port: 3306, name: "TCP [::]:3306", identity: "3306/mariadbd/200" };
const settings = { scheduled: false, now: 1_000_000 };

function due(
  listeners: ProbedListener[],
  kept: KeptProbes,
  change: Partial<Parameters<typeof planProbes>[2]> = {},
): number[] {
  return planProbes(listeners, kept, { ...settings, ...change }).due.map(({ port }) => port);
}

describe("which listeners are probed", () => {
  const kept: KeptProbes = new Map([
    [web.identity, { result: answered("HTTP"), probedAt: 0 }],
    [database.identity, { result: answered("MySQL"), probedAt: 0 }],
  ]);

  it("is each new one, once", () => {
    expect(due([web, database], new Map())).toEqual([8080, 3306]);
    expect(due([web, database], kept)).toEqual([]);
    expect(due([web, web], new Map())).toEqual([8080]);
  });

  it("is one whose process changed", () => {
    expect(due([{ ...web, identity: "8080/web/300" }, database], kept)).toEqual([8080]);
  });

  it("is each when the schedule comes round, but not MySQL, which counts our visits", () => {
    expect(due([web, database], kept, { scheduled: true })).toEqual([8080]);
  });

  it("is one that did not answer, five minutes later", () => {
    const failed: KeptProbes = new Map([[web.identity, { result: notReached, probedAt: settings.now }]]);
    expect(due([web], failed, { now: settings.now + 299_000 })).toEqual([]);
    expect(due([web], failed, { now: settings.now + 300_000 })).toEqual([8080]);
  });

  it("forgets listeners that are gone", () => {
    expect([...planProbes([web], kept, settings).kept.keys()]).toEqual([web.identity]);
  });
});

describe("probing in turn", () => {
  const listeners = Array.from(
    { length: 40 },
    (_, at): ProbedListener => ({ ...web, port: at, processId: at % 5, identity: `${at}` }),
  );

  it("probes all, a few at once, and never two of one process", async () => {
    const running: number[] = [];
    let most = 0;
    const results = await probeInTurn(
      listeners,
      async ({ processId = -1 }) => {
        expect(running).not.toContain(processId);
        running.push(processId);
        most = Math.max(most, running.length);
        await new Promise(setImmediate);
        running.splice(running.indexOf(processId), 1);
        return answered("HTTP");
      },
      new AbortController().signal,
    );
    expect(results.size).toBe(40);
    expect(most).toBe(4);
  });

  it("ends when told to, with what it has", async () => {
    const controller = new AbortController();
    let probed = 0;
    const results = await probeInTurn(
      listeners,
      async () => {
        probed += 1;
        if (probed === 5) controller.abort();
        return answered("HTTP");
      },
      controller.signal,
    );
    expect(probed).toBeLessThan(10);
    expect(results.size).toBeLessThanOrEqual(4);
  });
});
