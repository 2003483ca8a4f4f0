import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockContains, setLookup } from "../../../src/simulate/address-block.ts";

describe("setLookup", () => {
  it.each([
    ["198.51.100.64/26", "198.51.100.127", true],
    ["198.51.100.64/26", "198.51.100.128", false],
    ["0.0.0.0/1", "127.255.255.255", true],
    ["0.0.0.0/1", "128.0.0.0", false],
    ["198.51.100.7", "198.51.100.7", true],
    ["8000::/1", "ffff::", true],
    ["8000::/1", "7fff::", false],
    ["2001:db8:2::/47", "2001:db8:3:ffff::1", true],
    ["::203.0.113.7", "::cb00:7107", true],
    ["0.0.0.0/1", "::1", false],
  ])("%s holds %s: %s", (entry, address, held) => {
    expect(setLookup([entry])(address)).toBe(held);
  });

  it("agrees with each of its blocks, whatever their lengths", () => {
    const octet = fc.constantFrom(0, 1, 127, 128, 192, 255);
    const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
    const block = fc.tuple(address, fc.integer({ min: 1, max: 32 })).map(([text, length]) => `${text}/${length}`);
    fc.assert(
      fc.property(fc.array(block, { maxLength: 5 }), address, (blocks, one) => {
        expect(setLookup(blocks)(one)).toBe(blocks.some((it) => blockContains(it, one)));
      }),
    );
  });
});
