import type { Severity } from "../api/audit.ts";
import type { CheckReport } from "../audit/run-audit.ts";
import { isAtLeast } from "../audit/severity.ts";
import type { Unmet } from "./audit-unmet.ts";

const NOTHING_FOUND = 0;
const FOUND = 1;
export const COULD_NOT_RUN = 2;

interface Demands {
  /** Least severity that counts as found; none: what policies require alone. */
  readonly failOn: Severity | "none";
  readonly strict: boolean;
  readonly unmet: readonly Unmet[];
}

/**
 * Findings outrank checks that were not made: they are certain. An audit of which no check was made did not run, nor did one
 * that could not make a check that a policy requires.
 */
export function auditExitCode(reports: readonly CheckReport[], { failOn, strict, unmet }: Demands): number {
  const results = reports.map(({ result }) => result);
  const checked = results.filter((result) => result.status === "Checked");
  const urgent = checked.some(
    ({ findings }) => failOn !== "none" && findings.some(({ severity }) => isAtLeast(severity, failOn)),
  );
  if (urgent || unmet.some(({ findings }) => findings !== undefined)) return FOUND;
  if (checked.length === 0 || unmet.length > 0 || (strict && checked.length < results.length)) return COULD_NOT_RUN;
  return NOTHING_FOUND;
}
