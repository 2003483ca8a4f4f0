import { isDeepStrictEqual } from "node:util";
import type { FoundFact } from "../plan/found-failsafes.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { FoundFile } from "./found-file.ts";
import type { NodeSight, Sight } from "./node-sight.ts";

/** What was found on the node, kept over moments in which it is not there. */
export interface FoundFacts {
  /** The same list until something differs. */
  readonly facts: readonly FoundFact[];
  /** Looks where that is due; the first time also at what an agent before this one knew. Never throws. */
  look(): Promise<void>;
  wakeAt(): number;
  /** Why the facts are not on disk. */
  readonly failure: unknown;
}

export interface FoundFactsOptions {
  readonly sight: NodeSight;
  readonly file: FoundFile;
  readonly log: Logger;
  readonly now: () => number;
}

interface Known {
  readonly fact: FoundFact;
  readonly seenAt: number;
}

const LOOK_MILLISECONDS = 15_000;
/** So long a thing that is not seen any more counts, while another of its kind is seen. */
const KEPT_MILLISECONDS = 3_600_000;
/** Of a kind; those that were seen last stay. */
const KNOWN_MAX = 64;

/**
 * A server that restarts, crashed or is not started yet after a boot must find its port open, or nobody can come in and
 * mend it. So while no other of its kind is there a fact stays for good; where another one took its place, for an hour.
 */
export function foundFacts({ sight, file, log, now }: FoundFactsOptions): FoundFacts {
  let known: readonly Known[] = [];
  let facts: readonly FoundFact[] = [];
  let loaded = false;
  let onDisk: readonly FoundFact[] = [];
  let failure: unknown;
  let nextAt = 0;

  function take(next: readonly Known[]): void {
    known = next;
    const listed = known.map(({ fact }) => fact);
    if (!isDeepStrictEqual(listed, facts)) facts = listed;
  }

  async function load(): Promise<void> {
    if (loaded) return;
    loaded = true;
    try {
      onDisk = await file.load();
      take(onDisk.map((fact) => ({ fact, seenAt: now() })));
    } catch (err) {
      log.warn({ err }, "what the node showed before is not known");
    }
  }

  async function save(): Promise<void> {
    if (isDeepStrictEqual(facts, onDisk)) return;
    try {
      await file.save(facts);
      onDisk = facts;
      failure = undefined;
    } catch (err) {
      // It is tried again at the next look.
      if (failure === undefined) log.error({ err }, "what the node shows is not saved");
      failure = err;
    }
  }

  return {
    get facts() {
      return facts;
    },
    async look() {
      await load();
      if (now() < nextAt) return;
      take(afterLook(known, await sight.look(), now()));
      nextAt = now() + LOOK_MILLISECONDS;
      await save();
    },
    wakeAt: () => nextAt,
    get failure() {
      return failure;
    },
  };
}

/** Pure. Times that lie ahead, as a clock was set back, count as now. */
export function afterLook(known: readonly Known[], seen: Sight, now: number): readonly Known[] {
  const present = [...seen.values()].flat().map((fact) => ({ fact, seenAt: now }));
  const absent = known
    .filter((one) => !present.some((other) => isSame(one.fact, other.fact)))
    .map(({ fact, seenAt }) => ({ fact, seenAt: Math.min(seenAt, now) }))
    .filter(({ fact, seenAt }) => (seen.get(fact.kind) ?? []).length === 0 || now - seenAt < KEPT_MILLISECONDS);
  const all = [...present, ...absent.toSorted((a, b) => b.seenAt - a.seenAt)];
  const counts = new Map<FoundFact["kind"], number>();
  return all.filter(({ fact: { kind } }) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return count < KNOWN_MAX;
  });
}

function isSame(a: FoundFact, b: FoundFact): boolean {
  return a.kind === b.kind && a.port === b.port && a.address === b.address;
}
