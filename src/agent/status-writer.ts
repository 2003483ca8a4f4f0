import { isDeepStrictEqual } from "node:util";
import { DROPPED_MAX } from "../api/dropped.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import { OBSERVED_MAX } from "../api/observed.ts";
import { backoffMilliseconds } from "../kube/backoff.ts";
import { NotFoundError } from "../kube/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { boundStatus } from "./bound-status.ts";
import { wake } from "./wake.ts";

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
  let failures = 0;
  let retryAt = 0;

  const dueAt = (): number => {
    if (wanted === undefined) return Number.POSITIVE_INFINITY;
    if (written === undefined || written.uid !== wanted.uid) return retryAt;
    if (isDeepStrictEqual(written.status, wanted.status)) return Number.POSITIVE_INFINITY;
    const counters = isDeepStrictEqual(withoutCounters(written.status), withoutCounters(wanted.status));
    return counters ? Math.max(retryAt, written.at + countersEveryMilliseconds) : retryAt;
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

/** That an entry meets, or an observing policy's would meet, its first packet is news, as far as the list has room. */
function withoutCounters({ observed = [], dropped = [], ...status }: NodeStateStatus): object {
  const met = [
    ...(observed.length < OBSERVED_MAX ? observed : []),
    ...(dropped.length < DROPPED_MAX ? dropped : []),
  ].map(({ packets: _, topPeers: __, ...entry }) => entry);
  const policies = status.policies?.map(
    ({ droppedPackets: _, wouldDropPackets: __, wouldOpenPackets: ___, ...policy }) => policy,
  );
  return { ...status, policies, observed: new Set(met.map((entry) => JSON.stringify(entry))) };
}
