import type { PeerProbe, ProbedPath, ProbeResult } from "../api/peer-probes.ts";
import type { PortAnswer } from "../kernel/connect-port.ts";
import { sleep } from "../kube/sleep.ts";
import { wake } from "./wake.ts";

export interface PeerPath {
  readonly from: string;
  readonly to: string;
}

/** What an agent measures for others: it connects to ports of other nodes, gently, and never of its own accord. */
export interface PeerProber {
  /** The probes that are asked for now. New ones are made in turn; those that are gone are forgotten. */
  serve(probes: readonly PeerProbe[]): void;
  /** Of probes that are still asked for. */
  results(): readonly ProbeResult[];
  /** Works until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Which ports of a path may be tried; `problem` says why others may not. Throws where it is not known. */
export type PathGuard = (
  path: PeerPath,
  ports: readonly number[],
) => Promise<{ readonly ports: readonly number[]; readonly problem?: string }>;

export interface PeerProberOptions {
  readonly connect: (connection: PeerPath & { readonly port: number }, signal: AbortSignal) => Promise<PortAnswer>;
  readonly guard: PathGuard;
  /** After each probe that was made. */
  readonly onResult: () => void;
  /** Between the beginnings of two connections of a probe. */
  readonly paceMilliseconds?: number;
  /** Probes that are made at the same time; absent: one. */
  readonly probesAtOnce?: number;
}

const AT_ONCE = 8;
const PACE_MILLISECONDS = 20;

export function peerProber({
  connect,
  guard,
  onResult,
  paceMilliseconds = PACE_MILLISECONDS,
  probesAtOnce = 1,
}: PeerProberOptions): PeerProber {
  const bell = wake();
  const made = new Map<string, ProbeResult>();
  let asked: ReadonlyMap<string, PeerProbe> = new Map();
  const under = new Map<string, AbortController>();

  /** All ways of a probe at once: eight connections are eight, wherever they go. */
  async function probe({ id, paths, ports }: PeerProbe, signal: AbortSignal): Promise<ProbeResult> {
    const tries = paths.map(({ from, to }) => newTry({ from, to }));
    const waiting: { readonly one: Try; readonly port: number }[] = [];
    for (const one of tries) {
      const allowed = await guard(one.path, ports).catch((error) => ({ ports: [], problem: messageOf(error) }));
      one.problem = allowed.problem;
      waiting.push(...allowed.ports.map((port) => ({ one, port })));
    }
    let startAt = performance.now();
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { one, port } = next;
        // Its own node cannot go this way: nor will it for the next port.
        if (one.failed || signal.aborted) continue;
        startAt = Math.max(startAt + paceMilliseconds, performance.now());
        await sleep(Math.max(0, startAt - performance.now()), signal);
        try {
          one.answers[await connect({ ...one.path, port }, signal)].push(port);
        } catch (error) {
          one.failed = true;
          one.problem = messageOf(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { id, paths: tries.map(probedPath) };
  }

  async function make(next: PeerProbe, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    under.set(next.id, stop);
    const result = await probe(next, AbortSignal.any([signal, stop.signal]));
    under.delete(next.id);
    bell.ring();
    if (signal.aborted || stop.signal.aborted) return;
    made.set(next.id, result);
    onResult();
  }

  return {
    serve(probes) {
      asked = new Map(probes.map((one) => [one.id, one]));
      for (const id of made.keys()) if (!asked.has(id)) made.delete(id);
      for (const [id, stop] of under) if (!asked.has(id)) stop.abort(new Error("nobody asks for it any more"));
      bell.ring();
    },
    results: () => [...asked.keys()].flatMap((id) => made.get(id) ?? []),
    async run(signal) {
      const making = new Set<Promise<void>>();
      while (!signal.aborted) {
        const next = [...asked.values()].find(({ id }) => !made.has(id) && !under.has(id));
        if (next === undefined || under.size >= probesAtOnce) {
          await bell.sleep(Number.POSITIVE_INFINITY, signal);
          continue;
        }
        const one = make(next, signal).finally(() => making.delete(one));
        making.add(one);
      }
      await Promise.all(making);
    },
  };
}

interface Try {
  readonly path: PeerPath;
  readonly answers: Readonly<Record<PortAnswer, number[]>>;
  problem: string | undefined;
  failed: boolean;
}

function newTry(path: PeerPath): Try {
  return { path, answers: { open: [], refused: [], silent: [] }, problem: undefined, failed: false };
}

/** What was measured stands, whatever came between; the rest is in no list. */
function probedPath({ path, answers: { open, refused, silent }, problem }: Try): ProbedPath {
  const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
  return {
    ...path,
    open: sorted(open),
    refused: sorted(refused),
    silent: sorted(silent),
    ...(problem === undefined ? {} : { problem: problem.slice(0, 256) }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
