/** A block of addresses as text means it. `address` may have host bits. */
export interface ParsedCidr {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly prefix: number;
}

const OCTET = /^(0|[1-9][0-9]{0,2})$/;
const PREFIX = /^(0|[1-9][0-9]{0,2})$/;
const HEXTET = /^[0-9a-fA-F]{1,4}$/;

function parseIpv4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || octets.some((octet) => !OCTET.test(octet) || Number(octet) > 255)) return undefined;
  // Numbers first: groups hold up to 100,000 addresses, and bigints are slow.
  return BigInt(octets.reduce((sum, octet) => sum * 256 + Number(octet), 0));
}

/** The hextets of one side of `::`; the last part may be an IPv4 address (RFC 4291, 2.2). */
function parseHextets(text: string, dottedAllowed: boolean): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const last = parts.at(-1) ?? "";
  const tail: bigint[] = [];
  if (last.includes(".")) {
    const dotted = dottedAllowed ? parseIpv4(last) : undefined;
    if (dotted === undefined) return undefined;
    parts.pop();
    tail.push(dotted >> 16n, dotted & 0xffffn);
  }
  if (parts.some((part) => !HEXTET.test(part))) return undefined;
  return [...parts.map((part) => BigInt(`0x${part}`)), ...tail];
}

function parseIpv6(text: string): bigint | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const left = parseHextets(sides[0] ?? "", sides.length === 1);
  const right = parseHextets(sides[1] ?? "", true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const hextets = [...left, ...Array<bigint>(missing).fill(0n), ...right];
  return hextets.reduce((sum, hextet) => sum * 0x10000n + hextet, 0n);
}

/**
 * Reads `192.0.2.0/24` or `2001:db8::/32` exactly as CEL's `isCIDR` does (Go's netip.ParsePrefix, less IPv4-mapped
 * IPv6): no leading zeros, no zones, a prefix is required. undefined where the text is no such thing.
 */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.lastIndexOf("/");
  const bits = text.slice(slash + 1);
  if (slash < 0 || !PREFIX.test(bits)) return undefined;
  const prefix = Number(bits);
  const base = text.slice(0, slash);
  const family = base.includes(":") ? 6 : 4;
  const address = family === 6 ? parseIpv6(base) : parseIpv4(base);
  if (address === undefined || prefix > (family === 6 ? 128 : 32)) return undefined;
  if (family === 6 && address >> 32n === 0xffffn) return undefined;
  return { family, address, prefix };
}

/** Whether no bit is set right of the prefix: `192.0.2.0/24`, not `192.0.2.1/24`. */
export function isMasked({ family, address, prefix }: ParsedCidr): boolean {
  const hostBits = BigInt((family === 6 ? 128 : 32) - prefix);
  return (address >> hostBits) << hostBits === address;
}

/** Whether every address of `inner` is one of `outer`. Both masked. */
export function containsCidr(outer: ParsedCidr, inner: ParsedCidr): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  const hostBits = BigInt((outer.family === 6 ? 128 : 32) - outer.prefix);
  return inner.address >> hostBits === outer.address >> hostBits;
}

function formatIpv6(address: bigint): string {
  const hextets = Array.from({ length: 8 }, (_, index) => (address >> BigInt(112 - 16 * index)) & 0xffffn);
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (hextets[start + length] === 0n) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = hextets.map((hextet) => hextet.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

/** Canonical text (RFC 5952), always with its prefix. */
export function formatCidr({ family, address, prefix }: ParsedCidr): string {
  if (family === 6) return `${formatIpv6(address)}/${prefix}`;
  const bits = Number(address);
  return `${[24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".")}/${prefix}`;
}
