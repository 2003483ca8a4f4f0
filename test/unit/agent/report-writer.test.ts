import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClusterReport } from "../../../src/agent/audit-report.ts";
import { ForeignReportError } from "../../../src/agent/cluster-reports.ts";
import { reportWriter } from "../../../src/agent/report-writer.ts";
import { ForbiddenError, NotServedError } from "../../../src/kube/errors.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { auditState, auditTime, check, finding, found } from "./audit-states.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let stop = new AbortController();
beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

/** A writer at work; `answer` is what the API server does with a write or a removal. */
function writing(answer: () => Promise<void> = async () => undefined) {
  const written: ClusterReport[] = [];
  const tries: string[] = [];
  let removed = 0;
  const writer = reportWriter({
    nodeName: "node1",
    reports: {
      async write(report) {
        tries.push("write");
        await answer();
        written.push(report);
      },
      async remove() {
        tries.push("remove");
        await answer();
        removed += 1;
      },
    },
    log: createLogger({ name: "agent", level: "fatal" }),
    now: Date.now,
    random: () => 1,
  });
  const ended = writer.run(stop.signal);
  return {
    writer,
    written,
    tries,
    removed: () => removed,
    ended,
    passes: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
}

const red = auditState({ findings: [finding()] });

describe("reportWriter", () => {
  it("writes after an audit at once, also when it found the same", async () => {
    const { writer, written, passes } = writing();
    writer.publish(red, "a");
    await passes(0);
    writer.publish({ ...red, auditedAt: auditTime + 1 }, "a");
    await passes(0);
    expect(written).toHaveLength(2);
  });

  it("writes what changes between audits at most once a minute, the latest of it", async () => {
    const { writer, written, passes } = writing();
    writer.publish(red, "a");
    await passes(0);
    for (let second = 1; second < 60; second++) {
      writer.publish({ ...red, findings: [finding({ port: 2_000 + second })] }, "a");
      await passes(SECOND);
    }
    expect(written).toHaveLength(1);
    await passes(SECOND);
    expect(written.slice(1).map(({ results }) => results[0]?.properties?.["port"])).toEqual(["2059"]);
  });

  it("does not write that a check looked again and found nothing again", async () => {
    const { writer, written, passes } = writing();
    for (let minute = 0; minute < 50; minute++) {
      const checks = [check("conntrack", found(minute), auditTime + minute * MINUTE)];
      writer.publish(auditState({ checks }), "a");
      await passes(MINUTE);
    }
    expect(written).toHaveLength(1);
  });

  it("writes that a check could not look any more", async () => {
    const { writer, written, passes } = writing();
    writer.publish(auditState({ checks: [check("conntrack", found(1))] }), "a");
    await passes(MINUTE);
    writer.publish(auditState({ checks: [check("conntrack", { status: "NotChecked", reason: "gone" })] }), "a");
    await passes(MINUTE);
    expect(written.at(-1)?.summary).toMatchObject({ pass: 0, skip: 1 });
  });

  it("applies an unchanged one every hour, as somebody may have deleted it", async () => {
    const { writer, written, passes } = writing();
    writer.publish(red, "a");
    await passes(3 * HOUR + MINUTE);
    expect(written).toHaveLength(4);
  });

  it("writes at once for a NodeState that was made anew, to go with that one", async () => {
    const { writer, written, passes } = writing();
    writer.publish(red, "a");
    await passes(0);
    writer.publish(red, "b");
    await passes(0);
    expect(written.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)).toEqual(["a", "b"]);
  });

  it("removes the report when nobody asks any more, once, and writes again when somebody does", async () => {
    const { writer, written, removed, passes } = writing();
    writer.publish(red, "a");
    await passes(0);
    writer.withdraw();
    writer.withdraw();
    await passes(2 * HOUR);
    expect([written.length, removed()]).toEqual([1, 1]);
    writer.publish(red, "a");
    await passes(0);
    expect(written).toHaveLength(2);
  });

  it("tries a failed write again, ever later, and a removal too", async () => {
    const forbidden = new ForbiddenError("not yours", { request: "PATCH" });
    const { writer, tries, passes } = writing(() => Promise.reject(forbidden));
    writer.publish(red, "a");
    await passes(HOUR);
    const writes = tries.length;
    expect(writes).toBeGreaterThan(10);
    expect(writes).toBeLessThan(20);
    writer.withdraw();
    await passes(HOUR);
    expect(tries.at(-1)).toBe("remove");
  });

  it.each([
    ["OpenReports is not installed", new NotServedError("404 page not found", { request: "GET" })],
    ["the report is somebody else's", new ForeignReportError("not ours")],
  ])("looks again every ten minutes where %s", async (_, error) => {
    let there = false;
    const { writer, written, tries, passes } = writing(() => (there ? Promise.resolve() : Promise.reject(error)));
    writer.publish(red, "a");
    await passes(HOUR - 1);
    expect(tries).toHaveLength(6);
    there = true;
    await passes(10 * MINUTE);
    expect(written).toHaveLength(1);
  });

  it("ends with its signal, also while the API server does not answer", async () => {
    const { writer, ended, passes } = writing(
      () => new Promise((_, reject) => stop.signal.addEventListener("abort", reject)),
    );
    writer.publish(red, "a");
    await passes(0);
    stop.abort();
    await expect(ended).resolves.toBeUndefined();
  });
});
