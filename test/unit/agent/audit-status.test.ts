import { describe, expect, it } from "vitest";
import { type AskedAudit, auditStatus } from "../../../src/agent/audit-status.ts";
import { nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import type { AuditState, CheckState, ListenerState, StandingFinding } from "../../../src/audit/audit-state.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import { nodeAudit } from "../../../src/plan/node-audit.ts";
import { assigned } from "../plan/policies.ts";
import { finding } from "./audited-node.ts";

const at = Date.parse("2026-01-01T12:00:00Z");
const asks = (...policies: ReturnType<typeof assigned>[]): AskedAudit => {
  const audit = nodeAudit(policies);
  if (audit === undefined) throw new Error("no policy asks");
  return { audit, checks: CHECKS.filter(({ practice }) => audit.levels[practice] !== "Ignore") };
};
const standing = (
  check: string,
  part: Partial<StandingFinding> & Pick<StandingFinding, "practice">,
): StandingFinding => ({
  ...finding("subject"),
  check,
  since: at,
  ...part,
});
const check = (name: string, part: Partial<CheckState> & Pick<CheckState, "practice">): CheckState => ({
  name,
  at,
  result: { status: "Checked", examined: 1, findings: [] },
  ...part,
});
const listener = (port: number, part: Partial<ListenerState> = {}): ListenerState => ({
  protocol: "TCP",
  address: "0.0.0.0",
  port,
  inode: port,
  uid: 0,
  reach: "Unknown",
  ...part,
});

const web = assigned(
  {
    firewall: { inbound: { ports: ["8000-8999"] } },
    monitoring: { listeners: {} },
    audit: { mandatoryAccessControl: "Required", securityUpdates: { pending: "Ignore" } },
  },
  "web",
);
const data = assigned(
  { firewall: { inbound: { ports: [5432] } }, audit: { securityUpdates: { pending: "Required" } } },
  "data",
);

describe("a policy's part", () => {
  const state: AuditState = {
    checks: [
      check("listeners", { practice: "listeners" }),
      check("confinement", { practice: "accessControl" }),
      check("pending-updates", {
        practice: "pendingUpdates",
        result: { status: "NotChecked", reason: "neither apt nor dnf" },
      }),
    ],
    findings: [
      standing("access-control", { practice: "accessControl", subject: "kernel", severity: "high" }),
      standing("listeners", { practice: "listeners", subject: "TCP 0.0.0.0:5432", port: 5432 }),
      standing("confinement", { practice: "accessControl", subject: "TCP 0.0.0.0:8080", port: 8080 }),
      standing("confinement", { practice: "accessControl", subject: "TCP 0.0.0.0:5432", port: 5432 }),
      standing("pending-reboot", { practice: "pendingUpdates", subject: "linux", severity: "low" }),
    ],
  };
  const policies = auditStatus(state, asks(web, data)).audit?.policies;
  const of = (name: string) => policies?.find((policy) => policy.name === name);

  it("is what it looks at: on its ports, and what is about the whole host", () => {
    expect(of("web")?.findings).toEqual({ critical: 0, high: 1, medium: 1, low: 0, info: 0 });
    expect(of("data")?.findings).toEqual({ critical: 0, high: 1, medium: 1, low: 1, info: 0 });
  });

  it("is not met where it requires a practice that has findings, or a check that could not be made", () => {
    expect(of("web")?.notMet).toBe(2);
    expect(of("data")?.notMet).toBe(2);
  });

  it("says how many of its checks were not tried yet", () => {
    const names = asks(web).checks.map(({ name }) => name);
    const tried = names.filter((name) => name === "listeners" || name === "confinement");
    expect(of("web")?.pending).toBe(names.length - tried.length);
  });
});

describe("the parts of the status", () => {
  it("are none where nobody asks", () => {
    expect(auditStatus({ checks: [], findings: [] }, undefined, { listeners: { count: 0, top: [] } })).toEqual({});
  });

  it("keep within their bounds, with the most urgent in them, whatever was found", () => {
    const long = "x".repeat(1_000);
    const state: AuditState = {
      auditedAt: at,
      dueAt: at,
      request: long,
      checks: [check("listeners", { practice: "listeners", result: { status: "NotChecked", reason: long } })],
      findings: Array.from({ length: 500 }, (_, index) =>
        standing("listeners", { practice: "listeners", subject: `${index} ${long}`, evidence: long, remedy: long }),
      ),
      listeners: Array.from({ length: 500 }, (_, index) =>
        listener(2_000 + index, {
          expected: index !== 400,
          process: { pid: 1, name: long, uid: 4_294_967_294, cgroup: `/${long}/end`, containerId: "a".repeat(64) },
        }),
      ),
      connections: {
        established: 10,
        timeWait: 0,
        more: 0,
        top: Array.from({ length: 20 }, () => ({ direction: "Inbound", remote: "::1", port: 1, count: 1 })),
      },
    };
    const status = auditStatus(state, asks(web, data));
    expect(nodeStateStatusSchema.parse(status)).toEqual(status);
    expect(status.audit?.findings.medium).toBe(500);
    expect(status.audit?.top).toHaveLength(20);
    expect(status.listeners).toMatchObject({ count: 500, unexpected: 1 });
    expect(status.listeners?.top.map(({ port }) => port).slice(0, 3)).toEqual([2_400, 2_000, 2_001]);
    expect(status.listeners?.top[0]?.cgroup).toMatch(/^….*\/end$/);
  });

  it("count sockets that look the same as one listener", () => {
    const listeners = [listener(8080), listener(8080, { inode: 2 }), listener(8080, { address: "::" })];
    const { listeners: status } = auditStatus({ checks: [], findings: [], listeners }, asks(data));
    expect(status).toEqual({
      count: 2,
      top: [
        { protocol: "TCP", address: "0.0.0.0", port: 8080, reach: "Unknown" },
        { protocol: "TCP", address: "::", port: 8080, reach: "Unknown" },
      ],
    });
  });
});

describe("an agent that has just started", () => {
  const asked = asks(data);
  const whole = auditStatus(
    {
      auditedAt: at,
      dueAt: at,
      request: "1",
      checks: asked.checks.map(({ name, practice }) => check(name, { practice })),
      findings: [standing("pending-updates", { practice: "pendingUpdates", subject: "openssl" })],
      listeners: [listener(5432)],
    },
    asked,
  );

  it("lets stand what was found until it has looked at all itself", () => {
    const first = check("conntrack", { practice: "capacity" });
    expect(auditStatus({ checks: [first], findings: [] }, asked, whole)).toEqual(whole);
    const done = auditStatus({ auditedAt: at, checks: [first], findings: [] }, asked, whole);
    expect(done.audit?.findings.medium).toBe(0);
    expect(done).not.toHaveProperty("listeners");
  });

  it("says so of a policy that is new", () => {
    const { audit } = auditStatus({ checks: [], findings: [] }, asks(data, web), whole);
    expect(audit?.policies).toMatchObject([
      { name: "data", notMet: 1, pending: 0 },
      { name: "web", notMet: 0, pending: expect.any(Number) },
    ]);
    expect(audit?.policies[1]?.pending).toBeGreaterThan(0);
  });
});
