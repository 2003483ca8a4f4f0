import { deadline } from "./deadline.ts";
import { ConflictError } from "./errors.ts";
import { type Candidate, claim, type LeaderSpec, released, type SeenLease, seized } from "./leader-lease.ts";
import { resources } from "./resources.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";
import { sleep } from "./sleep.ts";
import type { KubeClient, KubeObject } from "./types.ts";

export interface LeaderElection extends Candidate {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  readonly onError: (error: unknown) => void;
}

/** The time in which this process leads. There is no second one: whoever lost a lease ends. */
export interface Term {
  /** Aborts when the lease is lost. */
  readonly lost: AbortSignal;
  /** Whether the lease holds at this very moment, also where the process stood still until now. */
  holds(): boolean;
  /** Renews until `signal` aborts, then gives the lease back; resolves also when it is lost. */
  keep(signal: AbortSignal): Promise<void>;
}

/** The last part of a lease's time in which its holder does nothing any more: clocks differ in speed, and writes take time. */
const MARGIN = 1 / 3;
/** Tries in the time of a lease. */
const TRIES = 7.5;

/**
 * Waits until this process holds the Lease, as client-go does it: a candidate measures by its own clock how long nobody
 * renewed. Resolves undefined where `signal` aborts before.
 */
export async function election(options: LeaderElection, signal: AbortSignal): Promise<Term | undefined> {
  const { durationSeconds, onError } = options;
  const retryMilliseconds = (durationSeconds * 1_000) / TRIES;
  const holdsMilliseconds = durationSeconds * 1_000 * (1 - MARGIN);
  let seen: SeenLease = { resourceVersion: undefined, at: clock() };
  let renewed: Moment | undefined;

  /** Whether it holds the lease now. What was asked for counts from when it was asked. */
  async function attempt(giveUp: AbortSignal): Promise<boolean> {
    const asked = moment();
    const lease = await options.client.get(resources.leases, options, giveUp);
    const { resourceVersion } = lease?.metadata ?? {};
    if (resourceVersion !== seen.resourceVersion) seen = { resourceVersion, at: clock() };
    const spec = claim(lease, options, { seen, now: clock(), time: new Date() });
    if (spec === undefined) return false;
    try {
      await write(options, lease, spec, giveUp);
    } catch (error) {
      // Another one was first.
      if (error instanceof ConflictError) return false;
      throw error;
    }
    renewed = asked;
    return true;
  }

  /** Never longer than the lease: a server that hangs must not keep a holder in the belief that it leads. */
  async function tried(outer: AbortSignal): Promise<boolean | undefined> {
    using limit = deadline(holdsMilliseconds, outer);
    try {
      return await attempt(limit.signal);
    } catch (error) {
      if (!outer.aborted) onError(error);
      return undefined;
    }
  }

  const holds = () => renewed !== undefined && since(renewed) < holdsMilliseconds;
  while (!(await tried(signal))) {
    if (signal.aborted) return undefined;
    // Two candidates that started together should not always come together.
    await sleep(retryMilliseconds * (0.9 + 0.2 * Math.random()), signal);
  }
  if (signal.aborted) return undefined;

  const lost = new AbortController();
  return {
    lost: lost.signal,
    holds,
    async keep(end) {
      const watchdog = setInterval(() => holds() || lost.abort(), retryMilliseconds / 4);
      const stop = AbortSignal.any([end, lost.signal]);
      try {
        while (!stop.aborted) {
          await sleep(retryMilliseconds, stop);
          if (stop.aborted) break;
          // Somebody else has it: that it was lost is certain.
          if ((await tried(stop)) === false) lost.abort();
        }
      } finally {
        clearInterval(watchdog);
      }
      if (!lost.signal.aborted) await release(options, retryMilliseconds);
    },
  };
}

async function release(options: LeaderElection, timeoutMilliseconds: number): Promise<void> {
  using limit = deadline(timeoutMilliseconds);
  try {
    const lease = await options.client.get(resources.leases, options, limit.signal);
    const spec = lease === undefined ? undefined : released(lease, options, new Date());
    if (spec !== undefined) await write(options, lease, spec, limit.signal);
  } catch (error) {
    // It runs out by itself.
    options.onError(error);
  }
}

/**
 * Takes the Lease from whoever holds it, for `durationSeconds`, and does not renew it. The holder finds out when it next renews,
 * or when it cannot: returns the seconds after which it certainly does nothing more.
 */
export async function seizeLease(
  options: Pick<LeaderElection, "client" | "namespace" | "name"> & {
    readonly identity: string;
    readonly durationSeconds: number;
  },
  signal: AbortSignal,
): Promise<number> {
  return retryOnConflict(async () => {
    const lease = await options.client.get(resources.leases, options, signal);
    const { spec, holdsSeconds } = seized(lease, options, new Date());
    await write(options, lease, spec, signal);
    return holdsSeconds;
  }, signal);
}

async function write(
  { client, namespace, name }: Pick<LeaderElection, "client" | "namespace" | "name">,
  before: KubeObject | undefined,
  spec: LeaderSpec,
  signal: AbortSignal,
): Promise<void> {
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name }, spec };
  if (before === undefined) await client.create(resources.leases, lease, signal);
  // Its resourceVersion is the precondition: of two who take it, one gets it.
  else await client.replace(resources.leases, { ...lease, metadata: before.metadata }, signal);
}

/** Two clocks: one that no one sets, and one that goes on while the machine sleeps. The longer time counts. */
interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

function clock(): number {
  return performance.now();
}

function moment(): Moment {
  return { monotonic: clock(), wall: Date.now() };
}

function since({ monotonic, wall }: Moment): number {
  return Math.max(clock() - monotonic, Date.now() - wall);
}
