import ipaddr from "ipaddr.js";
import { UnknownFormError } from "./errors.ts";

/** Whether `address` lies in `block`, a CIDR or a single address. Throws where either is no address. */
export function blockContains(block: string, address: string): boolean {
  const one = parseAddress(address);
  const [network, length] = parseBlock(block);
  return one.kind() === network.kind() && one.match(network, length);
}

/**
 * Whether a packet's address is in a hash:net set: as the kernel looks it up, once per prefix length in use, the longest
 * first (ipset(8), hash:net). Prepared once, as a set may hold 100,000 blocks.
 */
export function setLookup(entries: readonly string[]): (address: string) => boolean {
  const byLength = new Map<number, Set<string>>();
  for (const entry of entries) {
    const [network, length] = parseBlock(entry);
    const networks = byLength.get(length) ?? new Set();
    byLength.set(length, networks.add(masked(network.toByteArray(), length)));
  }
  const lengths = [...byLength].toSorted(([a], [b]) => b - a);
  return (address) => {
    const bytes = parseAddress(address).toByteArray();
    return lengths.some(([length, networks]) => networks.has(masked(bytes, length)));
  };
}

/** Whether a connection is in a hash:ip,port,ip set, written as ipset prints it: `address,protocol:port,address`. */
export function connectionLookup(entries: readonly string[]): (first: string, port: string, last: string) => boolean {
  const key = (first: string, port: string, last: string) =>
    [parseAddress(first).toByteArray(), port, parseAddress(last).toByteArray()].join(" ");
  const known = new Set(
    entries.map((entry) => {
      const [first, port, last, ...more] = entry.split(",");
      if (first === undefined || port === undefined || last === undefined || more.length > 0)
        throw new UnknownFormError("an entry of a set", entry);
      return key(first, port, last);
    }),
  );
  return (first, port, last) => known.size > 0 && known.has(key(first, port, last));
}

function parseBlock(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [base = "", bits] = text.split("/");
  const address = parseAddress(base);
  const longest = address.kind() === "ipv4" ? 32 : 128;
  const length = bits === undefined ? longest : Number(bits);
  if (bits !== undefined && (!/^\d+$/.test(bits) || length > longest))
    throw new UnknownFormError("an address block", text);
  return [address, length];
}

/** ipaddr.js would take `::203.0.113.7` for the other `::ffff:203.0.113.7`; so the dotted end is written out first. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const hextets = text.replace(/(?<=:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  return ipaddr.parse(hextets);
}

/** The first `length` bits, as a key; v4 and v6 differ in the number of bytes. */
function masked(bytes: readonly number[], length: number): string {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * index))) & 0xff).join(".");
}
