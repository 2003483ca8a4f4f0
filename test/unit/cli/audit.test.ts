import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { Severity } from "../../../src/api/audit.ts";
import type { CheckResult } from "../../../src/audit/finding.ts";
import type { CheckReport } from "../../../src/audit/run-audit.ts";
import { auditExitCode } from "../../../src/cli/audit-exit-code.ts";
import { auditText } from "../../../src/cli/audit-text.ts";
import { unmetOf } from "../../../src/cli/audit-unmet.ts";
import { nodeAudit } from "../../../src/plan/node-audit.ts";
import { assigned } from "../plan/policies.ts";

const report = (result: CheckResult, name = "check"): CheckReport => ({
  name,
  practice: "protocols",
  title: "what it looks at",
  result,
});
const finding = (severity: Severity) =>
  ({
    id: "topic.what",
    severity,
    subject: "TCP 0.0.0.0:6379 redis",
    port: 6379,
    evidence: "listens",
    remedy: "Stop it",
  }) as const;
const found = (...severities: readonly Severity[]) =>
  report({ status: "Checked", examined: 3, findings: severities.map(finding) });
const notChecked = report({ status: "NotChecked", reason: "run it as root" }, "other");

it.each<[string, readonly CheckReport[], Severity, boolean, number]>([
  ["nothing found", [found()], "info", false, 0],
  ["something below what counts", [found("medium", "low")], "high", false, 0],
  ["something that counts", [found("medium", "low")], "medium", false, 1],
  ["something above", [found("critical")], "high", false, 1],
  ["a check not made", [found(), notChecked], "high", false, 0],
  ["a check not made, strictly", [found(), notChecked], "high", true, 2],
  ["findings beside a check not made, strictly", [found("high"), notChecked], "high", true, 1],
  ["no check made", [notChecked, notChecked], "high", false, 2],
  ["no check at all", [], "high", false, 2],
])("ends as CI needs it: %s", (_, reports, failOn, strict, code) => {
  expect(auditExitCode(reports, { failOn, strict, unmet: [] })).toBe(code);
});

/** A policy that requires encrypted protocols on these ports. */
const requiring = (name: string, ports: string, plaintextProtocols = "Required") =>
  assigned({ firewall: { inbound: { ports: [ports] } }, audit: { plaintextProtocols } }, name);

it.each<[string, CheckReport, string, number]>([
  ["a finding, however small, of what a policy requires", found("info"), "1024-65535", 1],
  ["one on a port that is not the policy's", found("info"), "8000-8999", 0],
  ["a check that a policy requires and that was not made", notChecked, "8000-8999", 2],
])("ends as policies require: %s", (_, one, ports, code) => {
  const policies = nodeAudit([requiring("a", ports), requiring("b", "1024-65535", "Report")])?.policies ?? [];
  const reports = [one, { ...found(), practice: "capacity" } as const];
  expect(auditExitCode(reports, { failOn: "none", strict: false, unmet: unmetOf(reports, policies) })).toBe(code);
});

it("says last which policies are not met", () => {
  const policies = nodeAudit([requiring("a", "6000-6999"), requiring("b", "8000-8999")])?.policies ?? [];
  const reports = [found("low"), notChecked];
  expect(auditText(reports, unmetOf(reports, policies))).toMatch(
    /; 1 low\nnot met: check, findings: 1 \(required by a\)\nnot met: other, could not be checked \(required by a, b\)\n$/,
  );
});

it("prints a line a check and then what was found, the most urgent first", () => {
  expect(
    auditText(
      [found("low", "high"), notChecked, report({ status: "Checked", examined: 1, findings: [] }, "third")],
      [],
    ),
  ).toBe(
    `CHECK  STATUS      EXAMINED  ABOUT
check  Findings    3         what it looks at
other  NotChecked  -         run it as root
third  Passed      1         what it looks at

high  topic.what  TCP 0.0.0.0:6379 redis
    seen:   listens
    remedy: Stop it

low  topic.what  TCP 0.0.0.0:6379 redis
    seen:   listens
    remedy: Stop it

2 of 3 checks made, 1 not; 1 high, 1 low
`,
  );
});

describe("porthardening audit", () => {
  const run = (...args: readonly string[]) =>
    execa(process.execPath, [join(import.meta.dirname, "../../../src/main.ts"), "audit", ...args], { reject: false });

  it.each([
    [["--fail-on", "urgent"], /Allowed choices are critical, high, medium, low, info/],
    [["--expect", "70000"], /Give a port or a range/],
    [["--expect", "9100="], /Give a port or a range/],
    [["--skip-probes", "none"], /Give ports or ranges/],
    [["--root", "host"], /Give an absolute path/],
    [["-f", "/there/is/none.yaml"], /there is no such file/],
  ])("says with exit code 2 that it could not run: %j", async (args, words) => {
    const { exitCode, stderr, stdout } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(words);
  });

  it("helps with exit code 0", async () => {
    expect(await run("--help")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/--strict/) });
  });
});
