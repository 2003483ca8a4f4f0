import { endianness } from "node:os";

const LITTLE_ENDIAN = endianness() === "LE";

/** Text of the 4 or 16 bytes of an address in network order; IPv4 in IPv6 clothes (::ffff:192.0.2.1) becomes IPv4. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.subarray(12).join(".") : ipv6Text(bytes);
}

/** RFC 5952: lower case, the longest run of zero groups (two or more, the first of equals) as `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  const text = groups.join(":");
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.toSorted((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  return `${before}::${text.slice(longest.index + longest[0].length).replace(/^:/, "")}`;
}

/** The bytes of an address in /proc/net/tcp: words of 32 bits, each printed as a number of the host's own byte order. */
export function procAddressBytes(hex: string, littleEndian: boolean = LITTLE_ENDIAN): Uint8Array {
  const bytes = Buffer.from(hex, "hex");
  return littleEndian ? bytes.swap32() : bytes;
}
