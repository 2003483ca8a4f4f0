/** Transition: a condition turned, or a new generation was seen. Counts: more of the same. */
export type StatusChange = "Transition" | "Counts";

/** How often the status of one policy may be looked at and written; the clock is the caller's, in milliseconds. */
export interface StatusPace {
  /** Milliseconds until a change of this kind may be written; 0: now. */
  delay(change: StatusChange, now: number): number;
  wrote(now: number): void;
  /** Looking took so long: the next look waits a multiple of that. */
  looked(milliseconds: number, now: number): void;
}

export interface StatusRate {
  readonly burst: number;
  readonly intervalMilliseconds: number;
}

/** Looking costs a pass over the fleet, and each node's report asks for one: at most a fifth of the time goes there. */
const REST_PER_LOOK = 4;

/**
 * One write per interval (DESIGN 2). Transitions may come faster in a burst, so that Progressing and Ready follow each
 * other at once; counts may not, or every node of a fleet would take one of the burst on the way.
 */
export function statusPace({ burst, intervalMilliseconds }: StatusRate): StatusPace {
  let tokens = burst;
  let refilledAt: number | undefined;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let restsUntil = Number.NEGATIVE_INFINITY;
  const refill = (now: number) => {
    // A clock that stepped back must not freeze anything: it only counts on from there.
    const elapsed = refilledAt === undefined ? 0 : Math.max(0, now - refilledAt);
    tokens = Math.min(burst, tokens + elapsed / intervalMilliseconds);
    refilledAt = now;
    if (wroteAt > now) wroteAt = now;
    if (restsUntil > now + intervalMilliseconds) restsUntil = now;
  };
  return {
    delay: (change, now) => {
      refill(now);
      const token = tokens >= 1 ? 0 : (1 - tokens) * intervalMilliseconds;
      const count = change === "Counts" ? wroteAt + intervalMilliseconds - now : 0;
      return Math.ceil(Math.max(0, token, count, restsUntil - now));
    },
    wrote: (now) => {
      refill(now);
      tokens -= 1;
      wroteAt = now;
    },
    looked: (milliseconds, now) => {
      restsUntil = now + Math.min(REST_PER_LOOK * milliseconds, intervalMilliseconds);
    },
  };
}
