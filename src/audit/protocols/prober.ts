import type { ListeningSocket } from "../sockets.ts";
import { type OpenConnection, type ProbeResult, probeListener } from "./probe.ts";
import { type KeptProbe, type KeptProbes, type ProbedListener, planProbes } from "./probe-plan.ts";
import { probeInTurn } from "./probe-queue.ts";
import { defaultPatience, type Patience } from "./step.ts";

/** How listeners are asked this time. */
export interface ProbeRound {
  /** Also those that are known already: an audit, not a mere change of the listeners. */
  readonly anew: boolean;
  /** Ms since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** What is known after a round, by identity. */
export interface Probed {
  /** Without those whose turn did not come in time: it comes first in the next round. */
  readonly known: KeptProbes;
  /** Listeners that were no more when it was their turn. */
  readonly gone: ReadonlySet<string>;
}

/** Finds out what listeners speak, and remembers it: each is connected to when it is new, and at each audit. */
export interface Prober {
  probe(listeners: readonly ProbedListener[], round: ProbeRound): Promise<Probed>;
}

interface ProberSettings {
  readonly open: OpenConnection;
  /** Who listens now. */
  readonly listening: () => Promise<readonly ListeningSocket[]>;
  /** Ms, monotonic. */
  readonly clock: () => number;
  readonly patience?: Patience;
  /** How long a listener must have been there to be connected to. */
  readonly settleMilliseconds?: number;
  /** Most that one round may take. */
  readonly roundMilliseconds?: number;
  /** Told how many are done, of how many: at first none, then after each. */
  readonly progress?: (done: number, all: number) => void;
}

/**
 * For as long as an agent runs, or for one audit. Rounds never overlap, as no two listeners of one process are asked at once.
 * A new listener has to be there still after a moment: one that waits for a single client (FTP opens a port for each transfer)
 * would take us for it.
 */
export function prober(settings: ProberSettings): Prober {
  const { open, clock, progress = () => undefined, patience = defaultPatience } = settings;
  const { settleMilliseconds = 1_000, roundMilliseconds = 100_000 } = settings;
  let known: KeptProbes = new Map();
  let last: Promise<unknown> = Promise.resolve();

  async function makeRound(listeners: readonly ProbedListener[], { anew, now, signal }: ProbeRound) {
    const { due, kept } = planProbes(listeners, known, { scheduled: anew, now });
    const bound = AbortSignal.any([signal, AbortSignal.timeout(roundMilliseconds)]);
    const staying = await settled(due, bound);
    let done = 0;
    progress(done, staying.length);
    const probe = async (listener: ProbedListener): Promise<ProbeResult> => {
      const result = await probeListener(listener, { open, patience, now: clock, signal: bound });
      done += 1;
      progress(done, staying.length);
      return result;
    };
    const results = await probeInTurn(staying.toSorted(longestUnasked), probe, bound);
    const after = new Map(kept);
    for (const { identity } of staying) {
      const result = results.get(identity);
      // Where its turn did not come, what was known still is.
      const probed = result === undefined ? known.get(identity) : { result, probedAt: now };
      if (probed !== undefined) after.set(identity, probed);
    }
    known = after;
    const stays = new Set(staying.map(({ identity }) => identity));
    const gone = due.filter(({ identity }) => !stays.has(identity)).map(({ identity }) => identity);
    return { known, gone: new Set(gone) };
  }

  /** Those that still listen after a moment. */
  async function settled(due: readonly ProbedListener[], signal: AbortSignal): Promise<readonly ProbedListener[]> {
    if (due.every(({ identity }) => known.has(identity))) return due;
    await elapse(settleMilliseconds, signal);
    const there = new Set((await settings.listening()).map(({ address, port }) => `${address} ${port}`));
    return due.filter(({ address, port }) => there.has(`${address} ${port}`));
  }

  function longestUnasked(a: ProbedListener, b: ProbedListener): number {
    const askedAt = ({ identity }: ProbedListener): KeptProbe["probedAt"] => known.get(identity)?.probedAt ?? 0;
    return askedAt(a) - askedAt(b);
  }

  return {
    probe(listeners, round) {
      const made = last.then(() => makeRound(listeners, round));
      // Whoever asked hears of a failure; the next round does not depend on it.
      last = made.catch(() => undefined);
      return made;
    },
  };
}

/** Ends early, not in an error, when `signal` aborts. */
function elapse(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, signal.aborted ? 0 : milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}
