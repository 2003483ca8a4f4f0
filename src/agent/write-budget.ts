/** At once as long as some of `burst` is left; each comes back after `refillMilliseconds`. */
export interface WriteBudget {
  spend(now: number): void;
  /** When there is some again; 0: now. Milliseconds on the clock of `spend`. */
  readyAt(now: number): number;
}

export function writeBudget({
  burst,
  refillMilliseconds,
}: {
  readonly burst: number;
  readonly refillMilliseconds: number;
}): WriteBudget {
  /** When all of it will be back. */
  let fullAt = 0;
  return {
    spend(now) {
      // A clock that was set back must not stop it for long.
      const from = Math.min(Math.max(fullAt, now), now + burst * refillMilliseconds);
      fullAt = from + refillMilliseconds;
    },
    readyAt(now) {
      const at = Math.min(fullAt, now + burst * refillMilliseconds) - (burst - 1) * refillMilliseconds;
      return at <= now ? 0 : at;
    },
  };
}
