/** Prefixes from and to text: CIDRs as policies write them, entries as `ipset save` prints them. */
import { formatCidr, parseCidr } from "../api/cidr.ts";
import type { Prefix } from "./prefix.ts";

const LAST_WORD = 0xffff_ffffn;

/** Reads a CIDR; host bits are cleared. Throws RangeError naming the text. */
export function parsePrefix(text: string): Prefix {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`"${text}" is not an IPv4 or IPv6 CIDR`);
  const { family, address, prefix: length } = cidr;
  if (family === 4) return { family, words: [leadingBits(Number(address), length)], length };
  const words = [96n, 64n, 32n, 0n].map((shift, index) =>
    leadingBits(Number((address >> shift) & LAST_WORD), length - 32 * index),
  );
  return { family, words, length };
}

function leadingBits(word: number, bits: number): number {
  if (bits >= 32) return word;
  return bits <= 0 ? 0 : (word & (-1 << (32 - bits))) >>> 0;
}

/** Canonical CIDR, always with its length. */
export function formatPrefix({ family, words, length }: Prefix): string {
  // Without bigints: 100,000 of these are formatted at once.
  if (family === 4) return `${dotted(words[0] ?? 0)}/${length}`;
  const address = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return formatCidr({ family, address, prefix: length });
}

/**
 * The entry of a hash:net set as `ipset save` prints it: a single address bare, the rest as CIDR. glibc's inet_ntop(3)
 * writes the last four bytes dotted where all before them are zero, except in `::` and `::1` to `::ffff`.
 */
export function formatSetEntry(prefix: Prefix): string {
  const { family, words, length } = prefix;
  const suffix = length === (family === 4 ? 32 : 128) ? "" : `/${length}`;
  if (family === 4) return `${dotted(words[0] ?? 0)}${suffix}`;
  const last = words[3] ?? 0;
  const embedded = last > 0xffff && words.slice(0, 3).every((word) => word === 0);
  if (embedded) return `::${dotted(last)}${suffix}`;
  const text = formatPrefix(prefix);
  return suffix === "" ? text.slice(0, text.indexOf("/")) : text;
}

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}
