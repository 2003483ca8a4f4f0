/** How often drift may be repaired: at once, until repairs do not hold; then ever slower, so that two never fight. */
export interface RepairPace {
  /** A repair was made at `now` (milliseconds on any clock). */
  repaired(now: number): void;
  /** The earliest time of the next repair; 0 = at once. */
  notBefore(now: number): number;
  /** How many repairs did not hold; undefined where repairs hold. */
  fighting(now: number): number | undefined;
}

const WINDOW_MILLISECONDS = 60_000;
const REPAIRS_AT_ONCE = 5;
const FIRST_DELAY_MILLISECONDS = 1_000;
const LONGEST_DELAY_MILLISECONDS = 60_000;

export function repairPace(): RepairPace {
  let recent: number[] = [];
  let delay = 0;

  /** A repair that lasted a whole window on top of its delay has held: all is forgotten. */
  const forget = (now: number): void => {
    const oldest = now - WINDOW_MILLISECONDS - delay;
    if (delay > 0 && (recent.at(-1) ?? 0) > oldest) return;
    if (delay > 0) recent = [];
    delay = 0;
    recent = recent.filter((at) => at > oldest);
  };

  return {
    repaired(now) {
      forget(now);
      recent = [...recent, now].slice(-1000);
      if (recent.length < REPAIRS_AT_ONCE) return;
      delay = delay === 0 ? FIRST_DELAY_MILLISECONDS : Math.min(delay * 2, LONGEST_DELAY_MILLISECONDS);
    },
    notBefore(now) {
      forget(now);
      return delay === 0 ? 0 : (recent.at(-1) ?? 0) + delay;
    },
    fighting(now) {
      forget(now);
      return delay === 0 ? undefined : recent.length;
    },
  };
}
