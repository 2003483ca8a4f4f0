import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { statusWriter } from "../../../src/agent/status-writer.ts";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { NotFoundError } from "../../../src/kube/errors.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const MINUTE = 60_000;
const status = (state: "Enforced" | "Failed", droppedPackets = 0): NodeStateStatus => ({
  policies: [{ name: "p", uid: "u", hash: "1", state, since: "2026-01-01T00:00:00Z", droppedPackets }],
});

function audits({
  subjects = [],
  examined = 1,
  evidence = "80 of 100",
  established = 1,
}: {
  readonly subjects?: readonly string[];
  readonly examined?: number;
  readonly evidence?: string;
  readonly established?: number;
}): NodeStateStatus {
  const time = new Date(Date.parse("2026-01-01T00:00:00Z") + examined * 1000).toISOString();
  const counts = { critical: 0, high: 0, medium: subjects.length, low: 0, info: 0 };
  return {
    audit: {
      auditedAt: time,
      dueAt: time,
      findings: counts,
      top: subjects.map((subject) => ({
        id: "some.finding",
        check: "c",
        severity: "medium",
        subject,
        evidence,
        remedy: "",
        since: "2026-01-01T00:00:00Z",
      })),
      checks: [{ name: "c", practice: "capacity", status: "Checked", examined, findings: subjects.length, at: time }],
      policies: [{ name: "p", notMet: 0, pending: 0, findings: counts }],
    },
    connections: { established, timeWait: 0, top: [] },
  };
}

let stop = new AbortController();
beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

/** A writer at work; `answer` is what the API server does. */
function writing(answer: (signal: AbortSignal) => Promise<void> = async () => undefined) {
  const written: NodeStateStatus[] = [];
  const counted = { written: 0, failed: 0 };
  const writer = statusWriter({
    write: async (_uid, next, signal) => {
      written.push(next);
      await answer(signal);
    },
    log: createLogger({ name: "agent", level: "fatal" }),
    now: Date.now,
    metrics: { statusWritten: () => (counted.written += 1), statusWriteFailed: () => (counted.failed += 1) },
  });
  const ended = writer.run(stop.signal);
  return { writer, written, counted, ended, settle: () => vi.advanceTimersByTimeAsync(0) };
}

describe("statusWriter", () => {
  it("writes at once what changed, and nothing where nothing did", async () => {
    const { writer, written, settle } = writing();
    writer.publish("a", status("Enforced"));
    await settle();
    writer.publish("a", status("Enforced"));
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(written).toEqual([status("Enforced")]);
    writer.publish("a", status("Failed"));
    await settle();
    expect(written).toHaveLength(2);
  });

  it("writes counters at most every five minutes, or together with what else changed", async () => {
    const { writer, written, settle } = writing();
    writer.publish("a", status("Enforced", 1));
    await settle();
    writer.publish("a", status("Enforced", 2));
    await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
    writer.publish("a", status("Enforced", 3));
    expect(written).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(written.at(-1)).toEqual(status("Enforced", 3));
    writer.publish("a", status("Failed", 4));
    await settle();
    expect(written.at(-1)).toEqual(status("Failed", 4));
  });

  it("tells at once that an observer's entry met its first packet, and not of each packet after", async () => {
    const { writer, written, settle } = writing();
    const observing = (entries: number, packets: number): NodeStateStatus => ({
      observed: Array.from({ length: entries }, (_, index) => ({
        policy: "p",
        direction: "Inbound",
        entry: `e${index}`,
        would: "Drop",
        packets: packets + index,
        topPeers: [{ address: "203.0.113.9", packets }],
      })),
    });
    for (const status of [observing(0, 0), observing(1, 1), observing(1, 2)]) {
      writer.publish("a", status);
      await settle();
    }
    expect(written).toEqual([observing(0, 0), observing(1, 1)]);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(written.at(-1)).toEqual(observing(1, 2));
  });

  it("writes what audits find at once, and not that they were made again", async () => {
    const { writer, written, settle } = writing();
    const steps = [
      audits({ examined: 1 }),
      audits({ examined: 2, evidence: "81 of 100", established: 5 }),
      audits({ subjects: ["a"], examined: 3 }),
      audits({ subjects: ["a"], examined: 4, evidence: "82 of 100" }),
    ];
    for (const step of steps) {
      writer.publish("a", step);
      await settle();
    }
    expect(written).toEqual([steps[0], steps[2]]);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(written.at(-1)).toEqual(steps[3]);
  });

  it("writes what comes and goes all day once a minute, and everything else at once all the same", async () => {
    const { writer, written, settle } = writing();
    for (let change = 0; change < 720; change++) {
      writer.publish("a", audits({ subjects: [`client ${change}`] }));
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(written.length).toBeGreaterThan(60);
    expect(written.length).toBeLessThan(90);
    const failed = { ...audits({}), ...status("Failed") };
    writer.publish("a", failed);
    await settle();
    expect(written.at(-1)).toEqual(failed);
    await vi.advanceTimersByTimeAsync(30 * MINUTE);
    writer.publish("a", { ...failed, ...audits({ subjects: ["new"] }) });
    await settle();
    expect(written.at(-1)?.audit?.top).toHaveLength(1);
  });

  it("writes only the newest of what was published while the API server was slow", async () => {
    let answer = (): void => undefined;
    const { writer, written, settle } = writing(() => new Promise<void>((resolve) => (answer = resolve)));
    writer.publish("a", status("Failed"));
    await settle();
    writer.publish("a", status("Failed", 1));
    writer.publish("a", status("Enforced", 2));
    answer();
    await settle();
    expect(written).toEqual([status("Failed"), status("Enforced", 2)]);
  });

  it("writes what is too large shortened, and once, as only the counters that come after change", async () => {
    const { writer, written, settle } = writing();
    const message = "m".repeat(1024);
    const policies = (droppedPackets: number) =>
      Array.from({ length: 64 }, (_, n) => ({
        name: `p${n}`,
        uid: "u",
        hash: "1",
        state: "Failed" as const,
        since: "2026-01-01T00:00:00Z",
        message,
        droppedPackets,
      }));
    writer.publish("a", { policies: policies(9) });
    await settle();
    writer.publish("a", { policies: policies(1_000_000) });
    await settle();
    expect(written).toHaveLength(1);
    expect(written[0]?.leftOut).toEqual([expect.stringMatching(/^policies\.message: \d+ of 1024 characters$/)]);
    expect(JSON.stringify(written[0]).length).toBeLessThan(32_768);
  });

  it("retries ever later, at most after a minute, while the API server refuses", async () => {
    let refuse = true;
    const { writer, written, counted, settle } = writing(async () => {
      if (refuse) throw new Error("connection refused");
    });
    writer.publish("a", status("Enforced"));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(written.length).toBeGreaterThan(12);
    expect(written.length).toBeLessThan(40);
    refuse = false;
    await vi.advanceTimersByTimeAsync(MINUTE);
    const { length } = written;
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    await settle();
    expect(written).toHaveLength(length);
    expect(counted).toEqual({ written: 1, failed: length - 1 });
  });

  it("writes the same again into a NodeState that was made anew", async () => {
    const { writer, written, settle } = writing();
    writer.publish("a", status("Enforced"));
    await settle();
    writer.publish("b", status("Enforced"));
    await settle();
    expect(written).toHaveLength(2);
  });

  it("does not hammer a NodeState that is gone", async () => {
    const { writer, written, counted } = writing(async () => {
      throw new NotFoundError("not found", { request: "PATCH" });
    });
    writer.publish("a", status("Enforced"));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(written).toHaveLength(1);
    expect(counted).toEqual({ written: 0, failed: 0 });
  });

  it("ends with its signal, also in the middle of a write", async () => {
    const { writer, settle, ended } = writing(
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    writer.publish("a", status("Enforced"));
    await settle();
    stop.abort();
    await expect(ended).resolves.toBeUndefined();
  });
});
