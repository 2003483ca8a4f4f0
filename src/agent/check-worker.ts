import type { AuditSubject, Check, Occasion } from "../audit/check.ts";
import type { CheckResult } from "../audit/finding.ts";
import { runCheck } from "../audit/run-audit.ts";
import { dueChecks } from "./due-checks.ts";
import { wake } from "./wake.ts";

/** Makes checks, one at a time. */
export interface CheckWorker {
  mark(check: Check, occasion: Occasion): void;
  /** Nothing is due any more. */
  clear(): void;
  /** Makes all that is due, also what comes to be due meanwhile. Never throws. */
  work(signal: AbortSignal): Promise<void>;
  /** The same whenever something is marked, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CheckWorkerOptions {
  /** What the check may look at; undefined where nobody wants it any more. */
  readonly subjectOf: (check: Check, occasion: Occasion, signal: AbortSignal) => AuditSubject | undefined;
  readonly onResult: (check: Check, result: CheckResult, at: number) => void;
}

export function checkWorker({ subjectOf, onResult }: CheckWorkerOptions): CheckWorker {
  const due = dueChecks();
  const bell = wake();
  /** Those that went on when their time was over: they are not started a second time. */
  const running = new Set<string>();

  async function make(check: Check, subject: AuditSubject): Promise<CheckResult> {
    if (running.has(check.name)) return { status: "NotChecked", reason: "an earlier run of it has not ended yet" };
    running.add(check.name);
    const run = (given: AuditSubject): Promise<CheckResult> =>
      check.run(given).finally(() => running.delete(check.name));
    const { timeoutMilliseconds } = check;
    return runCheck({ ...check, run }, subject, timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds });
  }

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = due.take();
      if (next === undefined) return;
      const { check, occasion } = next;
      const subject = subjectOf(check, occasion, signal);
      if (subject === undefined) continue;
      const result = await make(check, subject);
      if (!signal.aborted) onResult(check, result, subject.now);
    }
  }

  return {
    mark(check, occasion) {
      due.mark(check, occasion);
      bell.ring();
    },
    clear: due.clear,
    work,
    async run(signal) {
      while (!signal.aborted) {
        await work(signal);
        await bell.sleep(Number.POSITIVE_INFINITY, signal);
      }
    },
  };
}
