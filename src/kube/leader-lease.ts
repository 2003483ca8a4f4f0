import { microTime } from "./micro-time.ts";
import type { KubeObject } from "./types.ts";
import { isRecord } from "./wire.ts";

/** Spec of a coordination.k8s.io/v1 Lease by which one of several is elected. */
export interface LeaderSpec {
  /** "": released. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** A Lease as a candidate sees it. */
export interface SeenLease {
  readonly resourceVersion: string | undefined;
  /** When this candidate first saw this version, by its own clock: the clocks of others are not to be trusted. */
  readonly at: number;
}

export interface Candidate {
  readonly identity: string;
  readonly durationSeconds: number;
}

/** What `candidate` should write; undefined: somebody else holds the lease. `now` in the clock of `seen`. */
export function claim(
  lease: KubeObject | undefined,
  candidate: Candidate,
  { seen, now, time }: { readonly seen: SeenLease; readonly now: number; readonly time: Date },
): LeaderSpec | undefined {
  const before = specOf(lease);
  const mine = before?.holderIdentity === candidate.identity;
  const free = before === undefined || before.holderIdentity === "";
  if (!mine && !free && now < seen.at + before.leaseDurationSeconds * 1_000) return undefined;
  const renewTime = microTime(time);
  return {
    holderIdentity: candidate.identity,
    leaseDurationSeconds: candidate.durationSeconds,
    acquireTime: mine ? before.acquireTime : renewTime,
    renewTime,
    leaseTransitions: (before?.leaseTransitions ?? -1) + (mine ? 0 : 1),
  };
}

/** What the holder writes who goes: the next one need not wait. */
export function released(lease: KubeObject, candidate: Candidate, time: Date): LeaderSpec | undefined {
  const before = specOf(lease);
  if (before?.holderIdentity !== candidate.identity) return undefined;
  return { ...before, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(time) };
}

/** What somebody writes who takes the lease whoever holds it, and for how long that one may go on in good faith. */
export function seized(
  lease: KubeObject | undefined,
  { identity, durationSeconds }: Candidate,
  time: Date,
): { readonly spec: LeaderSpec; readonly holdsSeconds: number } {
  const before = specOf(lease);
  const held = before !== undefined && before.holderIdentity !== "" && before.holderIdentity !== identity;
  const renewTime = microTime(time);
  const spec = {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationSeconds),
    acquireTime: renewTime,
    renewTime,
    leaseTransitions: (before?.leaseTransitions ?? -1) + 1,
  };
  return { spec, holdsSeconds: held ? before.leaseDurationSeconds : 0 };
}

function specOf(lease: KubeObject | undefined): LeaderSpec | undefined {
  const spec: unknown = lease === undefined ? undefined : (lease as KubeObject & { readonly spec?: unknown }).spec;
  if (!isRecord(spec)) return undefined;
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec;
  return {
    holderIdentity: typeof holderIdentity === "string" ? holderIdentity : "",
    leaseDurationSeconds: typeof leaseDurationSeconds === "number" ? leaseDurationSeconds : 0,
    acquireTime: typeof acquireTime === "string" ? acquireTime : "",
    renewTime: typeof renewTime === "string" ? renewTime : "",
    leaseTransitions: typeof leaseTransitions === "number" ? leaseTransitions : 0,
  };
}
