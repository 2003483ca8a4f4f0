import type { HookEvasion } from "./kernel.ts";

/** A place that was taken from us again within this time is left to whoever wants it. */
const PEACE_MILLISECONDS = 3_600_000;

/**
 * Where our hooks may come to the head of a chain. Once: two agents that both want to be first would otherwise move each
 * other for ever. A place is ours to take again when nobody has stood ahead of us there for an hour. In memory only:
 * after a restart it is tried once more.
 */
export interface HookPositions {
  /** Whether our hook stays where it is there. */
  ceded(place: string): boolean;
  /** Ours were just written to the head of these. */
  moved(places: readonly string[]): void;
  /** What was read. */
  saw(evasions: readonly HookEvasion[]): void;
  /** Where connections get past us, as read last. */
  readonly evasions: readonly HookEvasion[];
}

export function hookPositions(now: () => number): HookPositions {
  /** When somebody was last ahead of us at a place that we took back; bounded by the number of hooks. */
  const disputed = new Map<string, number>();
  let evasions: readonly HookEvasion[] = [];
  const ceded = (place: string) => now() - (disputed.get(place) ?? Number.NEGATIVE_INFINITY) < PEACE_MILLISECONDS;
  return {
    ceded,
    moved(places) {
      for (const place of places) disputed.set(place, now());
    },
    saw(found) {
      evasions = found;
      for (const { place } of found) if (ceded(place)) disputed.set(place, now());
    },
    get evasions() {
      return evasions;
    },
  };
}
