import type { Practice } from "../api/audit.ts";
import type { AuditSubject, Check } from "./check.ts";
import type { CheckResult } from "./finding.ts";
import { settingsFor } from "./settings.ts";

export interface CheckReport {
  readonly name: string;
  readonly practice: Practice;
  readonly title: string;
  readonly result: CheckResult;
}

/** Far above what the slowest check may take by its own time-outs. */
const CHECK_TIMEOUT_MILLISECONDS = 120_000;

/** One after the other, gently. A check that fails or takes too long was not made; the others are. */
export async function runAudit(
  checks: readonly Check[],
  subject: AuditSubject,
  {
    timeoutMilliseconds = CHECK_TIMEOUT_MILLISECONDS,
    started = () => undefined,
  }: { readonly timeoutMilliseconds?: number; readonly started?: (check: Check) => void } = {},
): Promise<readonly CheckReport[]> {
  const reports: CheckReport[] = [];
  for (const check of checks) {
    started(check);
    const result = await runCheck(check, subject, { timeoutMilliseconds });
    reports.push({ name: check.name, practice: check.practice, title: check.title, result });
  }
  return reports;
}

/** Resolves in time whatever the check does, and when its subject's signal aborts; then the check's own aborts too. */
export async function runCheck(
  { practice, run }: Check,
  subject: AuditSubject,
  { timeoutMilliseconds = CHECK_TIMEOUT_MILLISECONDS } = {},
): Promise<CheckResult> {
  const settings = settingsFor(practice, subject.settings);
  const end = new AbortController();
  const stop = (): void => end.abort(new Error("stopped before it had a result"));
  const late = (): void => end.abort(new Error(`no result within ${timeoutMilliseconds} ms`));
  // AbortSignal.any would leave a listener at a signal that may live as long as the process.
  subject.signal.addEventListener("abort", stop);
  const timer = setTimeout(late, timeoutMilliseconds);
  if (subject.signal.aborted) stop();
  try {
    return await Promise.race([aborted(end.signal), run({ ...subject, settings, signal: end.signal })]);
  } catch (error) {
    // Whatever kept it from looking: that it did not look is the result.
    return { status: "NotChecked", reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
    subject.signal.removeEventListener("abort", stop);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
