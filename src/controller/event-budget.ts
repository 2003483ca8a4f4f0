/** How many Events may be made: token buckets, one for each object and one for all. The clock is the caller's, in milliseconds. */
export interface EventBudget {
  /** Whether an Event on this object could be made now. */
  has(object: string, now: number): boolean;
  /** Takes one where there is one. */
  take(object: string, now: number): boolean;
}

export interface EventRate {
  readonly burst: number;
  /** Until one more may be made. */
  readonly intervalMilliseconds: number;
}

export interface EventRates {
  readonly perObject: EventRate;
  readonly inAll: EventRate;
}

/** An API server keeps Events for an hour: 3,700 at most are ours, whatever a fleet finds. */
export const DEFAULT_EVENT_RATES: EventRates = {
  perObject: { burst: 10, intervalMilliseconds: 60_000 },
  inAll: { burst: 100, intervalMilliseconds: 1_000 },
};

export function eventBudget({ perObject, inAll }: EventRates): EventBudget {
  /** Only those that are not full. */
  const buckets = new Map<string, Bucket>();
  const all = bucket(inAll);
  const of = (object: string) => buckets.get(object) ?? bucket(perObject);
  const has = (object: string, now: number) => [of(object), all].map((one) => one.left(now)).every((left) => left >= 1);
  return {
    has,
    take: (object, now) => {
      if (!has(object, now)) return false;
      const own = of(object);
      for (const one of [own, all]) one.take();
      buckets.set(object, own);
      // Bounded by what `inAll` lets through while one bucket fills again.
      for (const [name, one] of buckets) if (one.left(now) >= perObject.burst) buckets.delete(name);
      return true;
    },
  };
}

interface Bucket {
  left(now: number): number;
  take(): void;
}

function bucket({ burst, intervalMilliseconds }: EventRate): Bucket {
  let tokens = burst;
  let refilledAt: number | undefined;
  return {
    left: (now) => {
      // A clock that stepped back must not freeze anything: it only counts on from there.
      const elapsed = refilledAt === undefined ? 0 : Math.max(0, now - refilledAt);
      tokens = Math.min(burst, tokens + elapsed / intervalMilliseconds);
      refilledAt = now;
      return tokens;
    },
    take: () => {
      tokens -= 1;
    },
  };
}
