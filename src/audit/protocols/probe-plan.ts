import type { ProbeResult, ProbeTarget } from "./probe.ts";

/** A listener that may be probed. */
export interface ProbedListener extends ProbeTarget {
  /** For findings: `TCP 0.0.0.0:6379 redis-server`. */
  readonly name: string;
  /** Changes when the listener does: address, port and the process that holds it (id and start time). */
  readonly identity: string;
  /** The process, so that no two of its listeners are probed at once; absent where unknown. */
  readonly processId?: number;
}

/** What a probe found, kept until the listener changes or a schedule asks anew. */
export interface KeptProbe {
  readonly result: ProbeResult;
  /** Ms since 1970. */
  readonly probedAt: number;
}

export type KeptProbes = ReadonlyMap<string, KeptProbe>;

export interface ProbePlan {
  readonly due: readonly ProbedListener[];
  /** What holds still, by identity. Listeners that are gone are forgotten. */
  readonly kept: KeptProbes;
}

/** A listener that did not answer may just have been starting; not to be asked on each pass. */
const RETRY_MILLISECONDS = 300_000;

/**
 * Which listeners to probe: each once, and again on schedule. MySQL never again while it is the same process: it counts
 * handshakes that end early, and its expiry date does not show without one.
 */
export function planProbes(
  listeners: readonly ProbedListener[],
  kept: KeptProbes,
  settings: {
    /** The schedule came round, or somebody asked. */
    readonly scheduled: boolean;
    readonly now: number;
  },
): ProbePlan {
  const due: ProbedListener[] = [];
  const holding = new Map<string, KeptProbe>();
  for (const listener of new Map(listeners.map((it) => [it.identity, it])).values()) {
    const probe = kept.get(listener.identity);
    if (probe === undefined || isStale(probe, settings)) due.push(listener);
    else holding.set(listener.identity, probe);
  }
  return { due, kept: holding };
}

function isStale({ result, probedAt }: KeptProbe, { scheduled, now }: { scheduled: boolean; now: number }): boolean {
  if (result.kind === "NotReached") return scheduled || now - probedAt >= RETRY_MILLISECONDS;
  return scheduled && result.service.protocol !== "MySQL";
}
