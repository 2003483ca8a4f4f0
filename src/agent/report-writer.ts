import type { AuditState } from "../audit/audit-state.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import { NotServedError } from "../kube/errors.ts";
import { contentHash } from "../plan/content-hash.ts";
import type { Logger } from "../telemetry/logger.ts";
import { auditReport, type ClusterReport } from "./audit-report.ts";
import { type ClusterReports, ForeignReportError } from "./cluster-reports.ts";
import { wake } from "./wake.ts";

export interface ReportWriter {
  /** What the report shall say, and the uid of the NodeState that it goes with; must not block. */
  publish(state: AuditState, nodeStateUid: string): void;
  /** Nobody asks for an audit any more: there shall be no report. */
  withdraw(): void;
  /** Writes until `signal` aborts, on its own, so that an API server away holds nothing up. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ReportPace {
  /** Between two reports of one audit, as checks that run more often have other findings. */
  readonly changesMilliseconds: number;
  /** An unchanged one is applied again: somebody may have deleted it. The API server stores nothing for it. */
  readonly refreshMilliseconds: number;
  /** Whether OpenReports is installed meanwhile, or another one's report gone. */
  readonly lookAgainMilliseconds: number;
}

const PACE: ReportPace = {
  changesMilliseconds: 60_000,
  refreshMilliseconds: 3_600_000,
  lookAgainMilliseconds: 600_000,
};
const RETRY = { firstMilliseconds: 1_000, limitMilliseconds: 600_000 };

export interface ReportWriterOptions {
  readonly nodeName: string;
  readonly reports: ClusterReports;
  readonly log: Logger;
  readonly now: () => number;
  readonly pace?: Partial<ReportPace>;
  readonly random?: () => number;
}

interface Wish {
  readonly state: AuditState;
  readonly nodeStateUid: string;
}

/** A report follows its audit at once, and what changes between audits within a minute. */
export function reportWriter({ nodeName, reports, log, now, random, ...options }: ReportWriterOptions): ReportWriter {
  const pace = { ...PACE, ...options.pace };
  const bell = wake();
  let wanted: Wish | "None" | undefined;
  /** What is in the API as far as we know, and when that was last looked at. */
  let done:
    | { readonly wish: Wish | "None"; readonly says: string; readonly lookedAt: number; readonly at: number }
    | undefined;
  let failures = 0;
  let retryAt = 0;
  let obstacle: string | undefined;

  function dueAt(): number {
    if (wanted === undefined) return Number.POSITIVE_INFINITY;
    if (wanted === "None") return done?.wish === "None" ? Number.POSITIVE_INFINITY : retryAt;
    if (done === undefined || done.wish === "None" || isNews(wanted, done.wish)) return retryAt;
    const refresh = done.at + pace.refreshMilliseconds;
    return Math.max(
      retryAt,
      wanted === done.wish ? refresh : Math.min(refresh, done.lookedAt + pace.changesMilliseconds),
    );
  }

  async function reach(wish: Wish | "None", signal: AbortSignal): Promise<void> {
    if (wish === "None") {
      await reports.remove(signal);
      done = { wish, says: "", lookedAt: now(), at: now() };
      return;
    }
    const report = auditReport(wish.state, { nodeName, nodeStateUid: wish.nodeStateUid });
    const says = whatCounts(report);
    const same = done !== undefined && done.wish !== "None" && done.says === says && !isNews(wish, done.wish);
    if (done !== undefined && same && now() < done.at + pace.refreshMilliseconds) {
      done = { ...done, wish, lookedAt: now() };
      return;
    }
    await reports.write(report, signal);
    done = { wish, says, lookedAt: now(), at: now() };
  }

  function failed(error: unknown): void {
    const what = obstacleOf(error);
    if (what === undefined) {
      failures += 1;
      const delay = backoffMilliseconds(failures, RETRY, random);
      retryAt = now() + delay;
      log.warn({ err: error, retryInMilliseconds: Math.round(delay) }, "report not written");
      return;
    }
    // Spread, so that a fleet does not find the definition in the same second.
    retryAt =
      now() +
      backoffMilliseconds(
        1,
        { firstMilliseconds: pace.lookAgainMilliseconds, limitMilliseconds: pace.lookAgainMilliseconds },
        random,
      );
    if (obstacle !== what) log.info({ why: what }, "no report is written");
    obstacle = what;
  }

  function wish(next: Wish | "None"): void {
    wanted = next;
    bell.ring();
  }

  return {
    publish(state, nodeStateUid) {
      const before = wanted === "None" ? undefined : wanted;
      if (before?.state !== state || before.nodeStateUid !== nodeStateUid) wish({ state, nodeStateUid });
    },
    withdraw() {
      if (wanted !== "None") wish("None");
    },
    async run(signal) {
      for (;;) {
        await bell.sleep(dueAt() - now(), signal);
        if (signal.aborted) return;
        if (wanted === undefined || now() < dueAt()) continue;
        try {
          await reach(wanted, signal);
          failures = 0;
          retryAt = 0;
          obstacle = undefined;
        } catch (error) {
          if (signal.aborted) return;
          failed(error);
        }
      }
    },
  };
}

/** Another audit, or another NodeState to go with. */
function isNews(wish: Wish, before: Wish): boolean {
  return wish.state.auditedAt !== before.state.auditedAt || wish.nodeStateUid !== before.nodeStateUid;
}

/** When a check last looked, and how much it examined, changes all the time; what it found counts. */
function whatCounts({ results, summary }: ClusterReport): string {
  const counted = results.map(({ timestamp, message, ...result }) => {
    if (result.result === "pass") return result;
    return result.result === "skip" ? { ...result, message } : { ...result, message, timestamp };
  });
  return contentHash({ summary, counted }, 32);
}

/** What no retry mends soon, and what is no fault. */
function obstacleOf(error: unknown): string | undefined {
  if (error instanceof NotServedError) return "OpenReports (openreports.io/v1alpha1) is not installed";
  return error instanceof ForeignReportError ? error.message : undefined;
}
