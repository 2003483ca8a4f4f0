import type { AuditSubject, Check } from "./check.ts";
import type { CheckResult } from "./finding.ts";

export interface CheckReport {
  readonly name: string;
  readonly title: string;
  readonly result: CheckResult;
}

/** Far above what the slowest check may take by its own time-outs. */
const CHECK_TIMEOUT_MILLISECONDS = 120_000;

/** One after the other, gently. A check that fails or takes too long was not made; the others are. */
export async function runAudit(
  checks: readonly Check[],
  subject: AuditSubject,
  { timeoutMilliseconds = CHECK_TIMEOUT_MILLISECONDS } = {},
): Promise<readonly CheckReport[]> {
  const reports: CheckReport[] = [];
  for (const { name, title, run } of checks) {
    reports.push({ name, title, result: await within(timeoutMilliseconds, () => run(subject)) });
  }
  return reports;
}

async function within(timeoutMilliseconds: number, run: () => Promise<CheckResult>): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    const reason = `no result within ${timeoutMilliseconds} ms`;
    timer = setTimeout(() => resolve({ status: "NotChecked", reason }), timeoutMilliseconds);
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    // Whatever kept it from looking: that it did not look is the result.
    return { status: "NotChecked", reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
