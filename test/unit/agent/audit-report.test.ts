import { describe, expect, it } from "vitest";
import { auditReport, REPORT_MAX_BYTES, RESULTS_MAX } from "../../../src/agent/audit-report.ts";
import { storedBytes } from "../../../src/agent/stored-bytes.ts";
import { auditState, auditTime, check, finding, found, longestFinding } from "./audit-states.ts";

const owner = { nodeName: "node1.example.com", nodeStateUid: "5f3c" };

describe("the report of a node", () => {
  it("is the node's by name and scope, and goes with its NodeState, which it does not keep from being deleted", () => {
    expect(auditReport(auditState(), owner)).toMatchObject({
      apiVersion: "openreports.io/v1alpha1",
      kind: "ClusterReport",
      metadata: {
        name: "node1.example.com",
        ownerReferences: [
          {
            apiVersion: "porthardening.io/v1alpha1",
            kind: "PortHardeningNodeState",
            name: "node1.example.com",
            uid: "5f3c",
          },
        ],
        annotations: { "porthardening.io/audited-at": "2026-11-23T03:12:00.000Z" },
      },
      source: "port-hardening",
      scope: { apiVersion: "v1", kind: "Node", name: "node1.example.com" },
    });
    expect(auditReport(auditState(), owner).metadata.ownerReferences?.[0]).not.toHaveProperty("blockOwnerDeletion");
  });

  it("says of a finding what it is, how urgent, what was seen, what to do and since when", () => {
    const [result] = auditReport(auditState({ findings: [finding()] }), owner).results;
    expect(result).toEqual({
      policy: "listeners",
      rule: "listeners.unexpected",
      category: "listeners",
      result: "fail",
      severity: "high",
      message: "tcp 0.0.0.0:6379 redis-server: listens, everybody gets through: redis-server, user 104",
      timestamp: { seconds: auditTime / 1000, nanos: 0 },
      properties: {
        subject: "tcp 0.0.0.0:6379 redis-server",
        port: "6379",
        remedy: "Stop it, bind it to loopback, or add it to the expected listeners",
      },
    });
  });

  it.each([
    ["critical", "fail"],
    ["high", "fail"],
    ["medium", "fail"],
    ["low", "warn"],
    ["info", "warn"],
  ] as const)("calls what is %s: %s", (severity, result) => {
    const { results, summary } = auditReport(auditState({ findings: [finding({ severity })] }), owner);
    expect(results).toMatchObject([{ severity, result }]);
    expect(summary).toEqual({ pass: 0, fail: 0, warn: 0, error: 0, skip: 0, [result]: 1 });
  });

  it("lets a check pass that looked and found nothing, skips one that could not look, with the reason", () => {
    const checks = [
      check("listeners", found(12)),
      check("conntrack", found(1)),
      check("pending-updates", { status: "NotChecked", reason: "Talos is updated as a whole image" }),
    ];
    const { results, summary } = auditReport(auditState({ checks, findings: [finding()] }), owner);
    expect(results.map(({ policy, result, message }) => [policy, result, message])).toEqual([
      ["listeners", "fail", expect.any(String)],
      ["pending-updates", "skip", "Talos is updated as a whole image"],
      ["conntrack", "pass", "Nothing found; examined: 1."],
    ]);
    expect(summary).toEqual({ pass: 1, fail: 1, warn: 0, error: 0, skip: 1 });
  });

  it("lets no check pass of which a finding stands, though its latest try could not look", () => {
    const checks = [check("listeners", { status: "NotChecked", reason: "no result within 60000 ms" })];
    const { results } = auditReport(auditState({ checks, findings: [finding()] }), owner);
    expect(results.map(({ result }) => result)).toEqual(["fail", "skip"]);
  });
});

describe("its bounds", () => {
  const checks = [
    check("conntrack", found(1)),
    check("listeners", { status: "NotChecked", reason: "x".repeat(9_999) }),
  ];
  const of = (count: number, filler?: string) =>
    auditReport(
      auditState({ checks, findings: Array.from({ length: count }, (_, number) => longestFinding(number, filler)) }),
      owner,
    );

  it("hold 500 findings, each as long as it may be", () => {
    const report = of(500);
    expect(report.results).toHaveLength(502);
    expect(storedBytes(report)).toBeLessThan(512 * 1024);
  });

  it("hold any number, of characters that take most room: the most urgent, every check, and the rest counted", () => {
    const report = of(5_000, "\u3042<");
    expect(storedBytes(report)).toBeLessThan(REPORT_MAX_BYTES);
    expect(report.summary).toMatchObject({ fail: 5_000, pass: 1, skip: 1 });
    expect(report.results[0]?.properties?.["subject"]).toMatch(/^0 /);
    expect(report.results.slice(-2).map(({ result }) => result)).toEqual(["skip", "pass"]);
    const short = auditState({ checks, findings: Array.from({ length: 5_000 }, () => finding()) });
    expect(auditReport(short, owner).results).toHaveLength(RESULTS_MAX);
  });
});
