import type { Severity } from "../api/audit.ts";
import type { CheckReport } from "../audit/run-audit.ts";
import { isAtLeast } from "../audit/severity.ts";

const NOTHING_FOUND = 0;
const FOUND = 1;
export const COULD_NOT_RUN = 2;

/** Findings outrank checks that were not made: they are certain. An audit of which no check was made did not run. */
export function auditExitCode(
  reports: readonly CheckReport[],
  { failOn, strict }: { readonly failOn: Severity; readonly strict: boolean },
): number {
  const results = reports.map(({ result }) => result);
  const checked = results.filter((result) => result.status === "Checked");
  if (checked.some(({ findings }) => findings.some(({ severity }) => isAtLeast(severity, failOn)))) return FOUND;
  if (checked.length === 0 || (strict && checked.length < results.length)) return COULD_NOT_RUN;
  return NOTHING_FOUND;
}
