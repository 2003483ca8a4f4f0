import { isDeepStrictEqual } from "node:util";
import type { NodeAuditStatus } from "../api/audit-status.ts";
import { DROPPED_MAX } from "../api/dropped.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import { OBSERVED_MAX } from "../api/observed.ts";
import type { PodCounts } from "../api/pods.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import { NotFoundError } from "../kube/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { boundStatus } from "./bound-status.ts";
import { wake } from "./wake.ts";
import { writeBudget } from "./write-budget.ts";

export interface StatusWriter {
  /** What status shall say of the NodeState with this uid; an older wish that was not written yet is forgotten. */
  publish(uid: string | undefined, status: NodeStateStatus): void;
  /** Writes until `signal` aborts, on its own, so that an API server away holds nothing up. */
  run(signal: AbortSignal): Promise<void>;
}

export interface StatusWriterOptions {
  readonly write: (uid: string | undefined, status: NodeStateStatus, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly now: () => number;
  readonly metrics: Pick<AgentMetrics, "statusWritten" | "statusWriteFailed">;
  readonly countersEveryMilliseconds?: number;
}

const RETRY = { firstMilliseconds: 500, limitMilliseconds: 60_000 };

/** A first audit says what it finds piece by piece; listeners that come and go all day cost a write a minute. */
const AUDITS = { burst: 20, refillMilliseconds: 60_000 };

/** Writes on change only; where nothing but counters changed, at most every five minutes. */
export function statusWriter({
  write,
  log,
  now,
  metrics,
  countersEveryMilliseconds = 300_000,
}: StatusWriterOptions): StatusWriter {
  const bell = wake();
  let wanted: { readonly uid: string | undefined; readonly status: NodeStateStatus } | undefined;
  let written: (NonNullable<typeof wanted> & { readonly at: number }) | undefined;
  const audits = writeBudget(AUDITS);
  let failures = 0;
  let retryAt = 0;

  const dueAt = (): number => {
    if (wanted === undefined) return Number.POSITIVE_INFINITY;
    if (written === undefined || written.uid !== wanted.uid) return retryAt;
    switch (changeOf(written.status, wanted.status)) {
      case "None":
        return Number.POSITIVE_INFINITY;
      case "Counters":
        return Math.max(retryAt, written.at + countersEveryMilliseconds);
      case "Audits":
        return Math.max(retryAt, audits.readyAt(now()));
      case "Other":
        return retryAt;
    }
  };

  return {
    publish(uid, status) {
      wanted = { uid, status };
      bell.ring();
    },
    async run(signal) {
      for (;;) {
        await bell.sleep(dueAt() - now(), signal);
        if (signal.aborted) return;
        const next = wanted;
        if (next === undefined || now() < dueAt()) continue;
        try {
          // Here and not before: what is compared does not change by being shortened.
          await write(next.uid, boundStatus(next.status), signal);
          if (written !== undefined && written.uid === next.uid && changeOf(written.status, next.status) === "Audits")
            audits.spend(now());
          written = { ...next, at: now() };
          failures = 0;
          retryAt = 0;
          metrics.statusWritten();
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof NotFoundError) {
            // Deleted meanwhile: there is nothing to write to until another one is there.
            written = { ...next, at: now() };
            continue;
          }
          failures += 1;
          metrics.statusWriteFailed();
          const delay = backoffMilliseconds(failures, RETRY);
          retryAt = now() + delay;
          log.warn({ err: error, retryInMilliseconds: Math.round(delay) }, "status not written");
        }
      }
    },
  };
}

/** What a write would say that the one before did not. */
function changeOf(written: NodeStateStatus, wanted: NodeStateStatus): "None" | "Counters" | "Audits" | "Other" {
  if (isDeepStrictEqual(written, wanted)) return "None";
  const [before, after] = [withoutCounters(written), withoutCounters(wanted)];
  if (isDeepStrictEqual(before, after)) return "Counters";
  return isDeepStrictEqual(withoutAudits(before), withoutAudits(after)) ? "Audits" : "Other";
}

/** That an entry meets, or an observing policy's would meet, its first packet is news, as far as the list has room. */
function withoutCounters({
  observed = [],
  dropped = [],
  connections: _,
  audit,
  ephemeralPorts,
  ...status
}: NodeStateStatus) {
  const met = [
    ...(observed.length < OBSERVED_MAX ? observed : []),
    ...(dropped.length < DROPPED_MAX ? dropped : []),
  ].map(({ packets: _, topPeers: __, ...entry }) => entry);
  const policies = status.policies?.map(
    ({ droppedPackets: _, wouldDropPackets: __, wouldOpenPackets: ___, ...policy }) => policy,
  );
  return {
    ...status,
    ephemeralPorts: ephemeralPorts && { ...ephemeralPorts, pods: podsWithRange(ephemeralPorts.pods) },
    audit: audit && withoutAuditCounters(audit),
    policies,
    observed: new Set(met.map((entry) => JSON.stringify(entry))),
  };
}

/** Pods come and go all day: news is whether all, some or none have the range. */
function podsWithRange(pods: PodCounts | undefined): "All" | "Some" | "None" | undefined {
  if (pods === undefined) return undefined;
  if (pods.withRange === pods.running) return "All";
  return pods.withRange === 0 ? "None" : "Some";
}

function withoutAudits({ audit: _, listeners: __, ...status }: ReturnType<typeof withoutCounters>): object {
  return status;
}

/** What a check finds is news, and that it could not be made; not that it was made once more, nor the numbers in its words. */
function withoutAuditCounters({ auditedAt, dueAt: _, ...audit }: NodeAuditStatus): object {
  return {
    ...audit,
    audited: auditedAt !== undefined,
    top: audit.top.map(({ evidence: _, ...finding }) => finding),
    checks: audit.checks.map(({ at: _, examined: __, ...check }) => check),
  };
}
