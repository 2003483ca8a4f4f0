import { describe, expect, it } from "vitest";
import { auditReport, REPORT_MAX_BYTES } from "../../../src/agent/audit-report.ts";
import { auditStatus } from "../../../src/agent/audit-status.ts";
import { boundStatus, STATUS_MAX_BYTES } from "../../../src/agent/bound-status.ts";
import { failsafesOnNode } from "../../../src/agent/failsafes-on-node.ts";
import { nodeStatus } from "../../../src/agent/node-status.ts";
import { storedBytes } from "../../../src/agent/stored-bytes.ts";
import { type NodeStateStatus, nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import type { AuditState, ListenerState } from "../../../src/audit/audit-state.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import { merge } from "../../../src/plan/merge.ts";
import { nodeAudit } from "../../../src/plan/node-audit.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { assigned } from "../plan/policies.ts";
import { auditState, auditTime, check, finding, found, longestFinding } from "./audit-states.ts";

const FINDINGS = 500;
/** `long`: every text as long as it may be. */
interface Size {
  readonly policies: number;
  readonly long: boolean;
}

function listener(number: number, long: boolean): ListenerState {
  const name = long ? "n".repeat(64) : "node_exporter";
  const cgroup = long ? `/kubepods.slice/${"x".repeat(200)}` : "/system.slice/prometheus-node-exporter.service";
  const ids = { containerId: "a".repeat(64), podUid: "0f0f0f0f-1111-2222-3333-444444444444" };
  const process = { pid: number, name, uid: 65_534, cgroup, ...ids };
  const address = long ? "fd00:1234:5678:9abc:def0:1234:5678:9abc" : "0.0.0.0";
  const socket = { protocol: "TCP", address, port: 30_000 + number, inode: number, uid: 65_534 } as const;
  return { ...socket, process, reach: "Everybody", expected: false };
}

function state(long: boolean): AuditState {
  const numbers = Array.from({ length: FINDINGS }, (_, number) => number);
  const result = long ? ({ status: "NotChecked", reason: "r".repeat(256) } as const) : found(FINDINGS);
  const peer = {
    direction: "Inbound",
    remote: "fd00:1234:5678:9abc:def0:1234:5678:9abc",
    port: 9100,
    count: 500,
  } as const;
  return auditState({
    request: "2026-11-23T03:12:00Z",
    checks: CHECKS.map(({ name }) => check(name, result)),
    findings: numbers.map((number) => (long ? longestFinding(number) : finding({ port: 30_000 + number }))),
    listeners: numbers.map((number) => listener(number, long)),
    connections: {
      established: 10_000,
      timeWait: 5_000,
      more: 9_500,
      localPortsUsedPercent: 80,
      conntrackUsedPercent: 80,
      top: numbers.slice(0, 20).map(() => peer),
    },
  });
}

/** Whatever it judges, a node has these failsafes. */
const judging = assigned({ firewall: { inbound: {}, outbound: {} } }, "judging");

/** As an agent makes it of all that it knows, and writes it. */
function statusOf({ policies, long }: Size): NodeStateStatus {
  const names = Array.from({ length: policies }, (_, number) => `${long ? "p".repeat(50) : "policy"}-${number}`);
  const plans = names.map((name) => assigned({ audit: {}, monitoring: { listeners: {} } }, name));
  const audit = nodeAudit(plans);
  if (audit === undefined) throw new Error("no policy asks");
  const whole = nodeStatus(
    {
      generation: 12,
      skipped: false,
      agentVersion: "0.1.0",
      facts: undefined,
      policies: plans.map(({ name, uid, hash }) => ({
        name,
        uid,
        hash,
        state: "Failed",
        reason: "RestoreFailed",
        droppedPackets: 1_000_000,
        message: "m".repeat(long ? 1_024 : 100),
      })),
      failure: undefined,
      previews: [],
      problems: [],
      sysctls: new Map([["net.ipv4.ip_local_port_range", "49152\t65535"]]),
      failsafes: failsafesOnNode(merge([judging], [], DEFAULT_NODE_SETTINGS), []),
      observed: [],
      pods: { running: 2 ** 31 - 1, withRange: 2 ** 31 - 1 },
      dropped: [],
      measuring: {},
      wouldSet: [],
      readBack: undefined,
      repairs: 0,
      lastRepair: undefined,
      audits: auditStatus(state(long), { audit, checks: CHECKS }),
    },
    undefined,
    auditTime,
  );
  return boundStatus(whole);
}

describe.each<Size>([
  { policies: 1, long: false },
  { policies: 20, long: false },
  { policies: 1, long: true },
  { policies: 20, long: true },
  { policies: 64, long: false },
  { policies: 64, long: true },
])("a node with 500 findings, 500 listeners and $policies policies (texts as long as may be: $long)", (size) => {
  it("has a status that fits, is valid, and counts all", () => {
    const status = statusOf(size);
    expect(storedBytes(status)).toBeLessThanOrEqual(STATUS_MAX_BYTES);
    expect(nodeStateStatusSchema.parse(status)).toEqual(status);
    expect(status.audit?.findings[size.long ? "critical" : "high"]).toBe(FINDINGS);
    expect(status.listeners?.count).toBe(FINDINGS);
    expect(status.policies).toHaveLength(size.policies);
  });

  it("has a report that holds every finding", () => {
    const report = auditReport(state(size.long), { nodeName: "n".repeat(253), nodeStateUid: "u".repeat(36) });
    expect(storedBytes(report)).toBeLessThan(REPORT_MAX_BYTES);
    expect(report.results.filter(({ rule }) => rule !== undefined)).toHaveLength(FINDINGS);
  });
});

it("names twenty of each where the texts are as they mostly are", () => {
  const { audit, listeners, connections } = statusOf({ policies: 20, long: false });
  expect([audit?.top, listeners?.top, connections?.top].map((top) => top?.length)).toEqual([20, 20, 20]);
});
