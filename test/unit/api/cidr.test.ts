import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containsCidr, formatCidr, isMasked, type ParsedCidr, parseCidr } from "../../../src/api/cidr.ts";

const cidrs: fc.Arbitrary<ParsedCidr> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc.record({
      family: fc.constant(family),
      // Few bits set, so that gaps in IPv6 text are common.
      address: fc
        .array(fc.nat({ max: family === 4 ? 31 : 127 }), { maxLength: 6 })
        .map((bits) => bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n)),
      prefix: fc.nat({ max: family === 4 ? 32 : 128 }),
    }),
  )
  .filter(({ family, address }) => family === 4 || address >> 32n !== 0xffffn);

function masked({ family, address, prefix }: ParsedCidr): ParsedCidr {
  const hostBits = BigInt((family === 4 ? 32 : 128) - prefix);
  return { family, address: (address >> hostBits) << hostBits, prefix };
}

function addressOf(cidr: ParsedCidr): string {
  return formatCidr(cidr).replace(/\/.*/, "");
}

describe("formatCidr", () => {
  it.each([
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["2001:0DB8:0000:0000:0001:0000:0000:0001/128", "2001:db8::1:0:0:1/128"],
    ["2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128"],
    ["64:ff9b::192.0.2.1/128", "64:ff9b::c000:201/128"],
    ["::/0", "::/0"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"],
  ])("writes %s as RFC 5952 has it: %s", (text, canonical) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error("was not parsed");
    expect(formatCidr(cidr)).toBe(canonical);
  });

  it("writes what parseCidr reads back, an address to node:net too", () => {
    fc.assert(
      fc.property(cidrs, (cidr) => {
        expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
        expect(isIP(addressOf(cidr))).toBe(cidr.family);
      }),
    );
  });
});

describe("isMasked", () => {
  it("holds where no host bit is set, and only there", () => {
    fc.assert(fc.property(cidrs, (cidr) => isMasked(cidr) === (masked(cidr).address === cidr.address)));
  });
});

describe("containsCidr", () => {
  it("agrees with node:net on blocks that share a beginning", () => {
    const pairs = fc.tuple(cidrs, fc.nat({ max: 128 }), fc.nat({ max: 127 }));
    fc.assert(
      fc.property(pairs, ([cidr, more, bit]) => {
        const width = cidr.family === 4 ? 32 : 128;
        const outer = masked(cidr);
        const address = outer.address ^ (1n << BigInt(bit % width));
        const inner = masked({ ...outer, address, prefix: Math.min(width, outer.prefix + more) });
        const list = new BlockList();
        const family = cidr.family === 4 ? "ipv4" : "ipv6";
        list.addSubnet(addressOf(outer), outer.prefix, family);
        expect(containsCidr(outer, inner)).toBe(list.check(addressOf(inner), family));
      }),
    );
  });

  it("does not hold for a wider block, nor across families", () => {
    const parsed = (text: string) => parseCidr(text) as ParsedCidr;
    expect(containsCidr(parsed("192.0.2.0/24"), parsed("192.0.2.0/23"))).toBe(false);
    expect(containsCidr(parsed("0.0.0.0/0"), parsed("::/0"))).toBe(false);
  });
});
