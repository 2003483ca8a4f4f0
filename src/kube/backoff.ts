export interface BackoffBounds {
  readonly firstMilliseconds: number;
  readonly limitMilliseconds: number;
}

/**
 * Milliseconds to wait before attempt `failures + 1`, after `failures` (1 or more) in a row: doubles from `firstMilliseconds`
 * up to `limitMilliseconds`; the upper half of it is random, so that a fleet does not come back in step.
 */
export function backoffMilliseconds(
  failures: number,
  { firstMilliseconds, limitMilliseconds }: BackoffBounds,
  random: () => number = Math.random,
): number {
  const full = Math.min(limitMilliseconds, firstMilliseconds * 2 ** (failures - 1));
  return full * (0.5 + 0.5 * random());
}
