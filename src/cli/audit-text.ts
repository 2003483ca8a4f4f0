import { SEVERITIES } from "../api/audit.ts";
import type { Finding } from "../audit/finding.ts";
import type { CheckReport } from "../audit/run-audit.ts";
import type { Unmet } from "./audit-unmet.ts";
import { textTable } from "./text-table.ts";

/** For people: a line a check, then what was found, the most urgent first, then a sum, and what policies require and is not so. */
export function auditText(reports: readonly CheckReport[], unmet: readonly Unmet[]): string {
  const findings = reports
    .flatMap(({ result }) => (result.status === "Checked" ? result.findings : []))
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const rows = reports.map(({ name, title, result }) =>
    result.status === "NotChecked"
      ? [name, "NotChecked", "-", result.reason]
      : [name, result.findings.length === 0 ? "Passed" : "Findings", `${result.examined}`, title],
  );
  return [
    textTable([["CHECK", "STATUS", "EXAMINED", "ABOUT"], ...rows]),
    ...findings.map(findingText),
    `${sum(reports, findings)}\n${unmet.map(unmetText).join("")}`,
  ].join("\n");
}

function unmetText({ check, policies, findings }: Unmet): string {
  const why = findings === undefined ? "could not be checked" : `findings: ${findings}`;
  return `not met: ${check}, ${why} (required by ${policies.join(", ")})\n`;
}

function findingText({ severity, id, subject, evidence, remedy }: Finding): string {
  return `${severity}  ${id}  ${subject}\n    seen:   ${evidence}\n    remedy: ${remedy}\n`;
}

function sum(reports: readonly CheckReport[], findings: readonly Finding[]): string {
  const notChecked = reports.filter(({ result }) => result.status === "NotChecked").length;
  const counts = SEVERITIES.map((severity) => ({
    severity,
    count: findings.filter((finding) => finding.severity === severity).length,
  })).filter(({ count }) => count > 0);
  const found =
    counts.length === 0 ? "no findings" : counts.map(({ severity, count }) => `${count} ${severity}`).join(", ");
  return `${reports.length - notChecked} of ${reports.length} checks made, ${notChecked} not; ${found}`;
}
