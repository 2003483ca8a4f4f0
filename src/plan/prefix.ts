/**
 * One CIDR as numbers, v4 and v6 alike: 32-bit words, because bigints are several times slower and a group list of
 * 100,000 CIDRs is a supported size.
 */
import type { Family } from "./node-plan.ts";

/** `length` leading bits of `words` (one word in v4, four in v6, most significant first); all bits after them are zero. */
export interface Prefix {
  readonly family: Family;
  readonly words: readonly number[];
  readonly length: number;
}

/** v4 before v6, then by address, then the wider first: what contains another stands before it. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  for (let i = 0; i < a.words.length; i++) {
    const difference = (a.words[i] ?? 0) - (b.words[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return outer.family === inner.family && outer.length <= inner.length && shareBits(outer, inner, outer.length);
}

/** The wider prefix that `low` and `high` fill together; undefined where they do not. Expects `low` before `high`. */
export function joinPrefixes(low: Prefix, high: Prefix): Prefix | undefined {
  const length = low.length - 1;
  const siblings =
    length >= 0 && low.family === high.family && low.length === high.length && shareBits(low, high, length);
  return siblings ? { ...low, length } : undefined;
}

/** The lower and the upper half. Expects a prefix of more than one address. */
export function halvePrefix(prefix: Prefix): readonly [Prefix, Prefix] {
  const words = [...prefix.words];
  const index = prefix.length >>> 5;
  words[index] = ((words[index] ?? 0) | (1 << (31 - (prefix.length & 31)))) >>> 0;
  const length = prefix.length + 1;
  return [
    { ...prefix, length },
    { ...prefix, words, length },
  ];
}

function shareBits(a: Prefix, b: Prefix, bits: number): boolean {
  for (let i = 0, left = bits; left > 0; i++, left -= 32) {
    // A shift by 0 to 31; `>>>` takes its count modulo 32.
    if (((a.words[i] ?? 0) ^ (b.words[i] ?? 0)) >>> Math.max(0, 32 - left) !== 0) return false;
  }
  return true;
}
