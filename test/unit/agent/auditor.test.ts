import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditAim } from "../../../src/agent/audit-aim.ts";
import { auditStatus } from "../../../src/agent/audit-status.ts";
import type { CheckResult } from "../../../src/audit/finding.ts";
import { tcp } from "../audit/subject.ts";
import {
  AGENT_SOCKET,
  type AuditedNode,
  aimAt,
  asking,
  auditedNode,
  finding,
  seconds,
  toldCheck,
} from "./audited-node.ts";

const DAY = 86_400;
const found = (...subjects: string[]): CheckResult => ({
  status: "Checked",
  examined: 1,
  findings: subjects.map((subject) => finding(subject)),
});

let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T12:00:00Z") });
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

const updates = () => toldCheck({ name: "pending-updates", practice: "pendingUpdates", slow: true });
const subjects = ({ auditor }: AuditedNode) => auditor.state().findings.map(({ subject }) => subject);
const made = ({ auditor }: AuditedNode) => auditor.state().checks.map(({ name }) => name);

describe("what is audited", () => {
  it("is what some policy looks at, and nothing where no policy asks", async () => {
    const [wanted, ignored] = [updates(), toldCheck({ name: "exposure", practice: "exposure" })];
    const node = auditedNode(stop.signal, [wanted.check, ignored.check]);
    await seconds(60);
    expect(node.auditor.state()).toEqual({ checks: [], findings: [] });
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(made(node)).toEqual(["listeners", "pending-updates"]);
    expect(ignored.runs).toEqual([]);
  });

  it("is not the agent itself, which listens for its metrics", async () => {
    const node = auditedNode(stop.signal, [], true);
    node.listening = [tcp(6379, 1), tcp(9471, AGENT_SOCKET)];
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(subjects(node)).toEqual(["TCP 0.0.0.0:6379"]);
    const { listeners } = auditStatus(node.auditor.state(), node.auditor.asked());
    expect(listeners?.unexpected).toBe(1);
  });

  it("is forgotten when the policy goes, also in the middle of a check", async () => {
    const slow = updates();
    let end = (_: CheckResult): void => undefined;
    slow.answer = () => new Promise((resolve) => (end = resolve));
    const node = auditedNode(stop.signal, [slow.check]);
    node.listening = [tcp(6379, 1)];
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(subjects(node)).toEqual(["TCP 0.0.0.0:6379"]);
    node.auditor.aim(aimAt({}));
    end(found("late"));
    await seconds(10);
    expect(node.auditor.state()).toEqual({ checks: [], findings: [] });
    expect(auditStatus(node.auditor.state(), node.auditor.asked())).toEqual({});
  });
});

describe("an audit", () => {
  it("is made at the start, on schedule, and answers a request", async () => {
    const { check, runs } = updates();
    const node = auditedNode(stop.signal, [check]);
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(runs.map(({ occasion }) => occasion)).toEqual(["Audit"]);
    const { dueAt = 0, auditedAt } = node.auditor.state();
    expect(new Date(dueAt).toISOString()).toMatch(/^2026-01-02T03:/);
    await vi.advanceTimersByTimeAsync(dueAt - Date.now() - 1_000);
    expect(node.auditor.state().auditedAt).toBe(auditedAt);
    await seconds(2);
    expect(runs).toHaveLength(2);
    expect(node.auditor.state().dueAt).toBe(dueAt + DAY * 1000);
    node.auditor.aim(aimAt(asking, { request: "now" }));
    await seconds(1);
    node.auditor.aim(aimAt(asking, { request: "now" }));
    await seconds(60);
    expect(runs).toHaveLength(3);
    expect(node.auditor.state().request).toBe("now");
  });

  it("is made once after changes of what is asked have settled, and not for other changes", async () => {
    const { check, runs } = updates();
    const node = auditedNode(stop.signal, [check]);
    for (const schedule of ["0 1 * * *", "0 2 * * *", "0 3 * * *"]) {
      node.auditor.aim(aimAt({ ...asking, audit: { ...asking.audit, schedule } }));
      await seconds(1);
    }
    await seconds(10);
    expect(runs).toHaveLength(1);
    const other = { ephemeralPorts: { range: "49152-65535" }, mode: "Observe" };
    node.auditor.aim(aimAt({ ...asking, audit: { ...asking.audit, schedule: "0 3 * * *" }, ...other }));
    await seconds(60);
    expect(runs).toHaveLength(1);
  });

  it("does not answer a request before the last of its checks was made", async () => {
    const slow = updates();
    const ends: ((result: CheckResult) => void)[] = [];
    slow.answer = () => new Promise((resolve) => ends.push(resolve));
    const node = auditedNode(stop.signal, [slow.check]);
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    node.auditor.aim(aimAt(asking, { request: "now" }));
    await seconds(1);
    ends[0]?.(found());
    await seconds(1);
    expect(node.auditor.state()).not.toHaveProperty("request");
    ends[1]?.(found());
    await seconds(1);
    expect(node.auditor.state()).toMatchObject({ request: "now", auditedAt: expect.any(Number) });
  });

  it("follows a clock that is set back", async () => {
    const { check, runs } = updates();
    const node = auditedNode(stop.signal, [check]);
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    vi.setSystemTime(Date.parse("2025-01-01T12:00:00Z"));
    await seconds(DAY);
    expect(runs).toHaveLength(2);
  });
});

describe("a finding", () => {
  it("of a new listener is there within five seconds, and goes with it", async () => {
    const node = auditedNode(stop.signal);
    node.listening = [tcp(9100, 1)];
    node.auditor.aim(aimAt(asking));
    await seconds(60);
    node.listening = [tcp(9100, 1), tcp(6379, 2)];
    const { changes } = node;
    await seconds(5);
    expect(node.auditor.state()).toMatchObject({
      findings: [{ id: "listeners.unexpected", check: "listeners", severity: "high", port: 6379 }],
      listeners: [
        { port: 9100, expected: true, reach: "Everybody" },
        { port: 6379, expected: false, reach: "Everybody" },
      ],
    });
    expect(node.changes).toBeGreaterThan(changes);
    node.listening = [tcp(9100, 1)];
    await seconds(5);
    expect(node.auditor.state()).toMatchObject({ findings: [], listeners: [{ port: 9100 }] });
  });

  it("says since when each listener is there, over a restart too", async () => {
    const node = auditedNode(stop.signal);
    node.listening = [tcp(9100, 1)];
    node.auditor.aim(aimAt(asking));
    await seconds(60);
    node.listening = [tcp(9100, 1), tcp(6379, 2)];
    await seconds(5);
    const since = () => node.auditor.state().listeners?.map(({ port, since: at }) => [port, at]) ?? [];
    const [[, old = 0] = [], [, young = 0] = []] = since();
    expect(young - old).toBeGreaterThanOrEqual(50_000);
    node.listening = new Error("EACCES");
    await seconds(10);
    node.listening = [tcp(9100, 1), tcp(6379, 2)];
    await seconds(10);
    const before = since();
    expect(before).toEqual([
      [9100, old],
      [6379, young],
    ]);
    const { audit, listeners } = auditStatus(node.auditor.state(), node.auditor.asked());
    expect(listeners?.top.map(({ since: at }) => Date.parse(at ?? ""))).toEqual([young, old]);
    node.restart();
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(since()).not.toEqual(before);
    // What the API server said may come later than the first look.
    if (audit !== undefined) node.auditor.remember(audit, listeners);
    expect(since()).toEqual(before);
    node.listening = [tcp(9100, 1)];
    await seconds(10);
    node.listening = [tcp(9100, 1), tcp(6379, 3)];
    await seconds(10);
    expect(since()[1]?.[1]).toBeGreaterThan(young);
  });

  it("is told at once, also where a check saw something that is no finding", async () => {
    const probe = toldCheck({ name: "told", practice: "capacity", when: "Often" });
    probe.answer = async () => ({
      status: "Checked",
      examined: 1,
      findings: [],
      seen: [{ subject: "a", says: "TLS" }],
    });
    const node = auditedNode(stop.signal, [probe.check]);
    node.auditor.aim(aimAt(asking));
    await seconds(200);
    const { changes } = node;
    await seconds(200);
    expect(node.changes).toBe(changes);
    probe.answer = async () => ({
      status: "Checked",
      examined: 1,
      findings: [],
      seen: [{ subject: "a", says: "SSH" }],
    });
    await seconds(70);
    expect(node.changes).toBe(changes + 1);
  });

  it("keeps the time at which it was first seen, over a restart too", async () => {
    const node = auditedNode(stop.signal);
    node.listening = [tcp(6379, 1)];
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    const since = node.auditor.state().findings[0]?.since;
    await seconds(2 * DAY);
    expect(node.auditor.state().findings[0]?.since).toBe(since);
    const { audit } = auditStatus(node.auditor.state(), node.auditor.asked());
    node.restart();
    node.auditor.aim(aimAt(asking));
    if (audit !== undefined) node.auditor.remember(audit);
    await seconds(10);
    expect(node.auditor.state().findings[0]?.since).toBe(since);
    node.listening = [];
    await seconds(10);
    node.listening = [tcp(6379, 2)];
    await seconds(10);
    expect(node.auditor.state().findings[0]?.since).toBeGreaterThan(since ?? 0);
  });

  it("stays while its check cannot look, and goes when it looks and it is gone", async () => {
    const told = toldCheck({ name: "pending-updates", practice: "pendingUpdates" });
    const node = auditedNode(stop.signal, [told.check]);
    told.answer = async () => found("openssl");
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    told.answer = () => Promise.reject(new Error("dpkg is locked"));
    node.auditor.aim(aimAt(asking, { request: "1" }));
    await seconds(10);
    expect(subjects(node)).toEqual(["openssl"]);
    expect(node.auditor.state().checks[1]?.result).toEqual({ status: "NotChecked", reason: "dpkg is locked" });
    told.answer = async () => found();
    node.auditor.aim(aimAt(asking, { request: "2" }));
    await seconds(10);
    expect(subjects(node)).toEqual([]);
  });

  it("is judged by the interfaces that the node has", async () => {
    const node = auditedNode(stop.signal);
    node.listening = [tcp(8080, 1)];
    const judge: AuditAim["judge"] = (devices) => () => (devices.join(" ") === "lo eth0" ? "Nobody" : "Unknown");
    node.auditor.aim(aimAt(asking, { judge }));
    await seconds(60);
    expect(node.auditor.state().listeners).toMatchObject([{ reach: "Nobody" }]);
  });

  it("is judged anew when the policies let others through", async () => {
    const node = auditedNode(stop.signal);
    node.listening = [tcp(6379, 1)];
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    node.auditor.aim(aimAt(asking, { judge: () => () => "Nobody" }));
    await seconds(1);
    expect(node.auditor.state()).toMatchObject({ findings: [{ severity: "low" }], listeners: [{ reach: "Nobody" }] });
  });
});

describe("checks", () => {
  it("are made when they say so, and read connections only where they ask for them", async () => {
    const often = toldCheck({ name: "conntrack", practice: "capacity", when: "Often" });
    const node = auditedNode(stop.signal, [often.check]);
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(node.connectionsRead).toBe(1);
    await seconds(600);
    expect(often.runs.map(({ occasion }) => occasion)).toEqual(["Audit", ...Array.from({ length: 10 }, () => "Often")]);
    expect(node.connectionsRead).toBe(1);
    expect(node.changes).toBeLessThan(5);
  });

  it("that connect to listeners do so once at an audit, and once for each that comes", async () => {
    const probing = toldCheck({ name: "protocols", practice: "protocols", when: "Listeners", slow: true });
    const node = auditedNode(stop.signal, [probing.check]);
    const probed = { ...asking, audit: { ...asking.audit, plaintextProtocols: "Report" } };
    const occasions = () => probing.runs.map(({ occasion }) => occasion);
    node.listening = [tcp(8080, 1)];
    node.auditor.aim(aimAt(probed));
    await seconds(10);
    expect(occasions()).toEqual(["Audit"]);
    node.listening = [tcp(8080, 1), tcp(8081, 2)];
    await seconds(10);
    expect(occasions()).toEqual(["Audit", "Listeners"]);
    node.listening = [tcp(8080, 1), tcp(8081, 2), tcp(8082, 3)];
    node.auditor.aim(aimAt(probed, { request: "now" }));
    await seconds(10);
    expect(occasions()).toEqual(["Audit", "Listeners", "Audit"]);
  });

  it("that take their time hold neither the watch nor others up, and are not made twice at a time", async () => {
    const hanging = updates();
    hanging.answer = () => new Promise(() => undefined);
    const node = auditedNode(stop.signal, [hanging.check]);
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    node.listening = [tcp(6379, 1)];
    await seconds(5);
    expect(subjects(node)).toEqual(["TCP 0.0.0.0:6379"]);
    await seconds(120);
    const result = () => node.auditor.state().checks.find(({ name }) => name === "pending-updates")?.result;
    expect(result()).toEqual({ status: "NotChecked", reason: "no result within 120000 ms" });
    expect(hanging.runs[0]?.signal.aborted).toBe(true);
    node.auditor.aim(aimAt(asking, { request: "again" }));
    await seconds(10);
    expect(result()).toMatchObject({ status: "NotChecked", reason: expect.stringContaining("not ended") });
    expect(hanging.runs).toHaveLength(1);
  });

  it("say why nothing is known where sockets cannot be read, and go on when they can", async () => {
    const node = auditedNode(stop.signal);
    node.listening = new Error("EACCES");
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    expect(node.auditor.state()).toMatchObject({
      checks: [{ name: "listeners", result: { status: "NotChecked", reason: "EACCES" } }],
    });
    expect(node.auditor.state()).not.toHaveProperty("listeners");
    node.listening = [tcp(6379, 1)];
    await seconds(5);
    expect(node.auditor.state()).toMatchObject({ checks: [{ result: { examined: 1 } }], listeners: [{ port: 6379 }] });
  });

  it("do not hear of UDP sockets of clients that only pass by", async () => {
    const node = auditedNode(stop.signal);
    const client = (inode: number) => ({ ...tcp(40_000 + inode, inode), protocol: "UDP" as const });
    node.auditor.aim(aimAt(asking));
    await seconds(10);
    const { changes } = node;
    for (let inode = 1; inode <= 10; inode++) {
      node.listening = [client(inode)];
      await seconds(5);
    }
    expect(node.changes).toBe(changes);
    await seconds(5);
    expect(node.auditor.state().listeners).toMatchObject([{ port: 40_010 }]);
    node.listening = [{ ...client(11), port: 5353 }];
    await seconds(5);
    expect(node.auditor.state().listeners).toMatchObject([{ port: 5353 }]);
  });
});

it("ends with its signal, whatever a check is doing", async () => {
  const hanging = updates();
  hanging.answer = () => new Promise(() => undefined);
  const node = auditedNode(stop.signal, [hanging.check]);
  node.auditor.aim(aimAt(asking));
  await seconds(10);
  stop.abort();
  await expect(node.ended).resolves.toBeUndefined();
});

describe("a check that waits for another node", () => {
  const exposed = { ...asking, audit: { ...asking.audit, exposure: "Report" } };

  it("holds up no other, not even slow ones, and has the time that it asks for", async () => {
    const waiting = toldCheck({
      name: "exposure",
      practice: "exposure",
      patient: true,
      timeoutMilliseconds: 900_000,
    });
    waiting.answer = () => new Promise(() => undefined);
    const slow = updates();
    const node = auditedNode(stop.signal, [waiting.check, slow.check]);
    node.auditor.aim(aimAt(exposed));
    await seconds(10);
    expect([waiting.runs.length, slow.runs.length]).toEqual([1, 1]);
    expect(made(node)).toEqual(["listeners", "pending-updates"]);
    node.auditor.aim(aimAt(exposed, { request: "again" }));
    await seconds(600);
    expect(node.auditor.state().request).toBe("again");
    expect([waiting.runs.length, slow.runs.length]).toEqual([1, 2]);
    expect(made(node)).not.toContain("exposure");
    await seconds(400);
    expect(made(node)).toContain("exposure");
  });

  it("counts as made over a restart, with what it found and since when, until it is made again", async () => {
    const waiting = toldCheck({ name: "exposure", practice: "exposure", patient: true });
    waiting.answer = async () => found("TCP 8443");
    const node = auditedNode(stop.signal, [waiting.check]);
    node.auditor.aim(aimAt(exposed));
    await seconds(10);
    const statusOf = ({ auditor }: AuditedNode) => auditStatus(auditor.state(), auditor.asked()).audit;
    const before = statusOf(node);
    if (before === undefined) throw new Error("nothing was audited");
    expect(before).toMatchObject({ top: [{ check: "exposure", subject: "TCP 8443" }], policies: [{ pending: 0 }] });
    await seconds(DAY / 2);
    let answer = (_: CheckResult): void => undefined;
    waiting.answer = () => new Promise((resolve) => (answer = resolve));
    node.restart();
    node.auditor.aim(aimAt(exposed));
    node.auditor.remember(before);
    await seconds(10);
    const { top, policies, checks } = statusOf(node) ?? {};
    expect(node.auditor.state()).toHaveProperty("auditedAt");
    expect({ top, policies }).toEqual({ top: before.top, policies: before.policies });
    expect(checks?.find(({ name }) => name === "exposure")).toEqual(
      before.checks.find(({ name }) => name === "exposure"),
    );
    answer(found("TCP 8443"));
    await seconds(1);
    expect(statusOf(node)?.top).toEqual(before.top);
  });

  it("stays one that could not be made, over a restart, and keeps no word of one that nobody asks for any more", async () => {
    const waiting = toldCheck({ name: "exposure", practice: "exposure", patient: true });
    waiting.answer = async () => ({ status: "NotChecked", reason: "no other node" });
    const node = auditedNode(stop.signal, [waiting.check]);
    node.auditor.aim(aimAt(exposed));
    await seconds(10);
    const { audit } = auditStatus(node.auditor.state(), node.auditor.asked());
    if (audit === undefined) throw new Error("nothing was audited");
    waiting.answer = () => new Promise(() => undefined);
    node.restart();
    node.auditor.remember(audit);
    node.auditor.aim(aimAt(exposed));
    await seconds(10);
    const [, exposure] = node.auditor.state().checks;
    expect(exposure).toMatchObject({ name: "exposure", result: { status: "NotChecked", reason: "no other node" } });
    node.restart();
    node.auditor.aim(aimAt(asking));
    node.auditor.remember(audit);
    await seconds(10);
    expect(made(node)).toEqual(["listeners"]);
  });
});
