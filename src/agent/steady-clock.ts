/** Time that goes on evenly, and what the calendar says of a moment of it. */
export interface SteadyClock {
  /**
   * Milliseconds. Paces everything: a wall clock that is set (NTP after a boot, a person) would put off a repair or another try
   * by as much as it is set back.
   */
  now(): number;
  /** Milliseconds since the epoch at which `moment` of `now` was or will be, by the wall clock of this moment. */
  wallOf(moment: number): number;
}

export function steadyClock(
  elapsed: () => number = () => performance.now(),
  wall: () => number = Date.now,
): SteadyClock {
  // As the wall clock tells it where nobody sets that: what compares it with a time of others then still works.
  const start = wall() - elapsed();
  const now = () => start + elapsed();
  return { now, wallOf: (moment) => wall() + (moment - now()) };
}
