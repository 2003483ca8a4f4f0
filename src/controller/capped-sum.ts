/** The largest number that a count in a status may be. */
const INT32_MAX = 2 ** 31 - 1;

export function cappedSum(counts: readonly number[]): number {
  return Math.min(
    INT32_MAX,
    counts.reduce((sum, count) => sum + count, 0),
  );
}
