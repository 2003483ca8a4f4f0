import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCidr } from "../../../src/api/cidr.ts";
import { normaliseCidrs, setEntries, subtractCidrs } from "../../../src/plan/cidrs.ts";
import { parsePrefix } from "../../../src/plan/prefix-text.ts";
import { manyCidrs } from "./many-cidrs.ts";

/** A small world: the 256 blocks of length `top + 8` below one block of length `top`, as one flag each. */
interface World {
  readonly family: 4 | 6;
  readonly top: number;
  readonly base: bigint;
}
const DEPTH = 8;
const V4 = 0xc6336400n; // 198.51.100.0
const V6 = 0x20010db8_0000_0000_0000_0000_0000_0000n;

// At both ends of an address and across every boundary between its 32-bit words.
const worlds: World[] = [
  { family: 4, top: 0, base: 0n },
  { family: 4, top: 12, base: (V4 >> 20n) << 20n },
  { family: 4, top: 24, base: V4 },
  { family: 6, top: 0, base: 0n },
  ...[28, 60, 92, 120].map((top): World => ({ family: 6, top, base: (V6 >> BigInt(128 - top)) << BigInt(128 - top) })),
];

interface Block {
  readonly index: number;
  /** Bits below `top`: 0 is all of the world. */
  readonly depth: number;
}
const block = fc
  .tuple(fc.nat(255), fc.nat(DEPTH))
  .map(([index, depth]): Block => ({ index: (index >> (DEPTH - depth)) << (DEPTH - depth), depth }));
const blocks = fc.array(block, { maxLength: 12 });

function text({ family, top, base }: World, { index, depth }: Block): string {
  const width = family === 4 ? 32 : 128;
  const address = base + (BigInt(index) << BigInt(width - top - DEPTH));
  return formatCidr({ family, address, prefix: top + depth });
}

function bitmap(list: readonly Block[]): Uint8Array {
  const bits = new Uint8Array(1 << DEPTH);
  for (const { index, depth } of list) bits.fill(1, index, index + (1 << (DEPTH - depth)));
  return bits;
}

/** The one shortest list of blocks, by the plainest means: split what is neither full nor empty. */
function cover(bits: Uint8Array, { index, depth }: Block = { index: 0, depth: 0 }): Block[] {
  const size = 1 << (DEPTH - depth);
  const part = bits.subarray(index, index + size);
  if (part.every((bit) => bit === 0)) return [];
  if (part.every((bit) => bit === 1)) return [{ index, depth }];
  return [index, index + size / 2].flatMap((half) => cover(bits, { index: half, depth: depth + 1 }));
}

describe.each(worlds)("sets of IPv$family prefixes of $top to $top+8 bits agree with a bitmap", (world) => {
  const cidrs = (list: readonly Block[]) => list.map((one) => text(world, one));

  it("in normal form", () => {
    fc.assert(
      fc.property(blocks, (a) => {
        expect(normaliseCidrs(cidrs(a))).toEqual(cidrs(cover(bitmap(a))));
      }),
    );
  });

  it("in subtraction", () => {
    fc.assert(
      fc.property(blocks, blocks, (a, b) => {
        const taken = bitmap(b);
        const rest = bitmap(a).map((bit, at) => (taken[at] === 1 ? 0 : bit));
        expect(subtractCidrs(cidrs(a), cidrs(b))).toEqual(cidrs(cover(rest)));
      }),
    );
  });
});

describe("normaliseCidrs", () => {
  it("sorts v4 before v6 and by number, not by text", () => {
    expect(normaliseCidrs(["2001:db8::/32", "198.51.100.0/24", "20.0.0.0/8", "9.0.0.0/8"])).toEqual([
      "9.0.0.0/8",
      "20.0.0.0/8",
      "198.51.100.0/24",
      "2001:db8::/32",
    ]);
  });

  it("writes one form for every spelling", () => {
    expect(normaliseCidrs(["2001:DB8:0:0::/64", "2001:db8::/64", "2001:0db8:0000::/64"])).toEqual(["2001:db8::/64"]);
    expect(normaliseCidrs(["198.51.100.77/24"])).toEqual(["198.51.100.0/24"]);
  });

  it("does not join neighbours that make no block, nor families", () => {
    expect(normaliseCidrs(["198.51.100.1/32", "198.51.100.2/32"])).toEqual(["198.51.100.1/32", "198.51.100.2/32"]);
    expect(normaliseCidrs(["255.255.255.255/32", "::/128"])).toEqual(["255.255.255.255/32", "::/128"]);
  });

  it("joins two halves of everything to everything", () => {
    expect(normaliseCidrs(["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"])).toEqual(["0.0.0.0/0", "::/0"]);
  });

  it.each(["", "198.51.100.0", "198.51.100.0/33", "198.51.100.256/32", "::ffff:198.51.100.1/128", "eth0"])(
    "refuses %j and names it",
    (cidr) => {
      expect(() => normaliseCidrs(["192.0.2.0/24", cidr])).toThrow(`"${cidr}"`);
    },
  );
});

describe("subtractCidrs", () => {
  it("takes one address out of everything", () => {
    const rest = subtractCidrs(["0.0.0.0/0"], ["198.51.100.7/32"]);
    expect(rest).toHaveLength(32);
    expect(normaliseCidrs([...rest, "198.51.100.7/32"])).toEqual(["0.0.0.0/0"]);
    expect(subtractCidrs(["::/0"], ["2001:db8::1/128"])).toHaveLength(128);
  });

  it("leaves the other family alone", () => {
    expect(subtractCidrs(["0.0.0.0/0", "::/0"], ["::/0"])).toEqual(["0.0.0.0/0"]);
  });
});

describe("setEntries", () => {
  // Left what goes in, right what `ipset save` of ipset 7.17 printed for it.
  it.each([
    ["198.51.100.0/24", ["198.51.100.0/24"]],
    ["198.51.100.7/32", ["198.51.100.7"]],
    ["0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1"]],
    ["::/0", ["::/1", "8000::/1"]],
    ["2001:db8:0:1:1:1:1:1/128", ["2001:db8:0:1:1:1:1:1"]],
    ["2001:0:0:1:0:0:0:1/128", ["2001:0:0:1::1"]],
    ["1:0:0:2::3/128", ["1:0:0:2::3"]],
    ["::1:0:0/128", ["::1:0:0"]],
    ["0:0:0:0:1:0:0:0/80", ["::1:0:0:0/80"]],
    ["64:ff9b::102:304/128", ["64:ff9b::102:304"]],
    ["::/128", ["::"]],
    ["::1/128", ["::1"]],
    ["::ffff/128", ["::ffff"]],
    ["::1:0/112", ["::0.1.0.0/112"]],
    ["::ffff:0/128", ["::255.255.0.0"]],
    ["::102:304/128", ["::1.2.3.4"]],
  ])("writes %s as ipset prints it", (cidr, entries) => {
    expect(setEntries([parsePrefix(cidr)])).toEqual(entries);
  });

  it("takes 100,000 addresses (time logged)", () => {
    const cidrs = manyCidrs();
    const start = performance.now();
    const entries = setEntries(cidrs.map(parsePrefix));
    console.log(`100,000 CIDRs parsed, aggregated and printed in ${Math.round(performance.now() - start)} ms`);
    expect(entries).toHaveLength(100_000);
    expect(entries[0]).toBe("198.18.0.1");
    expect(entries[65_535]).toBe("198.19.255.255");
  });
});
