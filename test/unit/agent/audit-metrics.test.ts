import { Registry } from "prom-client";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditMetrics, auditMetrics } from "../../../src/agent/audit-metrics.ts";
import type { AuditState, CheckState, ListenerState, StandingFinding } from "../../../src/audit/audit-state.ts";

let registry: Registry;
let metrics: AuditMetrics;
beforeEach(() => {
  registry = new Registry();
  metrics = auditMetrics(registry);
});

/** Lines of the exposition that are samples, sorted. */
async function samples(): Promise<string[]> {
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).toSorted();
}

const nothing: AuditState = { checks: [], findings: [] };

function finding(id: string, severity: StandingFinding["severity"], subject: string): StandingFinding {
  const words = { evidence: "seen", remedy: "mend it" };
  return { id, severity, subject, ...words, check: "listeners", practice: "listeners", since: 0 };
}

function listener(port: number, rest: Partial<ListenerState> = {}): ListenerState {
  const socket = { protocol: "TCP", address: "192.0.2.1", port, inode: port, uid: 0 } as const;
  return { ...socket, reach: "Everybody", ...rest };
}

const check = (name: string, result: CheckState["result"]): CheckState => ({
  name,
  practice: "capacity",
  at: 1_700_000_000_500,
  result,
});

describe("auditMetrics", () => {
  it("says nothing, not even 0, of what was not looked at", async () => {
    expect(await samples()).toEqual([]);
    metrics.set(nothing);
    expect(await samples()).toEqual([]);
  });

  it("counts findings by id and severity, and forgets those that are gone", async () => {
    const findings = [
      finding("listeners.unexpected", "high", "TCP 0.0.0.0:6379 redis"),
      finding("listeners.unexpected", "high", "TCP 0.0.0.0:6380 redis"),
      finding("listeners.unexpected", "low", "TCP 127.0.0.1:6381 redis"),
      finding("protocols.plaintext-redis", "high", "TCP 0.0.0.0:6379 redis"),
    ];
    metrics.set({ ...nothing, findings });
    expect(await samples()).toEqual([
      'port_hardening_audit_findings{finding="listeners.unexpected",severity="high"} 2',
      'port_hardening_audit_findings{finding="listeners.unexpected",severity="low"} 1',
      'port_hardening_audit_findings{finding="protocols.plaintext-redis",severity="high"} 1',
    ]);
    metrics.set({ ...nothing, findings: findings.slice(3) });
    expect(await samples()).toEqual([
      'port_hardening_audit_findings{finding="protocols.plaintext-redis",severity="high"} 1',
    ]);
  });

  it("tells a check that could not look from one that looked", async () => {
    const checks = [
      check("conntrack", { status: "Checked", examined: 1, findings: [] }),
      check("local-ports", { status: "NotChecked", reason: "no permission" }),
    ];
    metrics.set({ ...nothing, checks });
    const status = "port_hardening_audit_check_status";
    expect(await samples()).toEqual([
      `${status}{check="conntrack",practice="capacity",status="Checked"} 1`,
      `${status}{check="conntrack",practice="capacity",status="NotChecked"} 0`,
      `${status}{check="local-ports",practice="capacity",status="Checked"} 0`,
      `${status}{check="local-ports",practice="capacity",status="NotChecked"} 1`,
      'port_hardening_audit_check_timestamp_seconds{check="conntrack"} 1700000000.5',
      'port_hardening_audit_check_timestamp_seconds{check="local-ports"} 1700000000.5',
    ]);
  });

  it("says times in seconds, and nothing of a time that there is no more", async () => {
    metrics.set({ ...nothing, auditedAt: 1_000, dueAt: 61_500 });
    expect(await samples()).toEqual([
      "port_hardening_audit_due_timestamp_seconds 61.5",
      "port_hardening_audit_last_timestamp_seconds 1",
    ]);
    metrics.set({ ...nothing, auditedAt: 1_000 });
    expect(await samples()).toEqual(["port_hardening_audit_last_timestamp_seconds 1"]);
    metrics.set(undefined);
    expect(await samples()).toEqual([]);
  });

  it("has no more series for ten thousand listeners than for the kinds of them, and names nobody", async () => {
    const process = { pid: 1, name: "secret", uid: 0, cgroup: "/" };
    const many = Array.from({ length: 10_000 }, (_, index) => listener(1024 + index, { process }));
    metrics.set({
      ...nothing,
      listeners: [
        ...many,
        listener(9, { protocol: "UDP", expected: true, reach: "Some" }),
        listener(7, { expected: false }),
      ],
      connections: { established: 12, timeWait: 3, top: [], more: 0, localPortsUsedPercent: 75 },
    });
    expect(await samples()).toEqual([
      'port_hardening_connections{state="established"} 12',
      'port_hardening_connections{state="time_wait"} 3',
      'port_hardening_listeners{protocol="tcp",expected="false",reach="everybody"} 1',
      'port_hardening_listeners{protocol="tcp",expected="unknown",reach="everybody"} 10000',
      'port_hardening_listeners{protocol="udp",expected="true",reach="some"} 1',
      "port_hardening_local_ports_used_ratio 0.75",
    ]);
  });
});
