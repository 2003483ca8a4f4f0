import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatReservedPorts, parseLocalPortRange, parseReservedPorts } from "../../../src/plan/port-sysctls.ts";
import {
  containsPorts,
  normalisePorts,
  parsePortItem,
  parsePorts,
  subtractPorts,
  unionPorts,
} from "../../../src/plan/ports.ts";
import type { PortRange } from "../../../src/plan/types.ts";

const HIGHEST = 65535;

// Few distinct ports, at both ends, so that ranges touch and overlap often.
const port = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: HIGHEST - 10, max: HIGHEST }));
const range = fc.tuple(port, port).map(([a, b]): PortRange => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const ranges = fc.array(range, { maxLength: 8 });

/** The plainest model: one flag a port. */
function bitmap(list: readonly PortRange[]): Uint8Array {
  const bits = new Uint8Array(HIGHEST + 2);
  for (const { from, to } of list) bits.fill(1, from, to + 1);
  return bits;
}

function fromBitmap(bits: Uint8Array): PortRange[] {
  const list: PortRange[] = [];
  for (let at = 1; at <= HIGHEST; at++) {
    if (bits[at] !== 1) continue;
    const from = at;
    while (bits[at + 1] === 1) at++;
    list.push({ from, to: at });
  }
  return list;
}

describe("parsePortItem", () => {
  it.each([
    [8443, { from: 8443, to: 8443 }],
    ["8443", { from: 8443, to: 8443 }],
    ["30000-32767", { from: 30000, to: 32767 }],
    ["1-65535", { from: 1, to: 65535 }],
    ["7-7", { from: 7, to: 7 }],
  ])("reads %j", (item, expected) => {
    expect(parsePortItem(item)).toEqual(expected);
  });

  it.each([0, 65536, -1, 1.5, Number.NaN, "", "0", "65536", "9-8", "1-", "-1", "1-2-3", " 80", "80\n", "http", "٣"])(
    "refuses %j and names it",
    (item) => {
      expect(() => parsePortItem(item)).toThrow(`"${item}"`);
    },
  );
});

describe("port sets agree with a bitmap", () => {
  it("in normal form", () => {
    fc.assert(
      fc.property(ranges, (a) => {
        expect(normalisePorts(a)).toEqual(fromBitmap(bitmap(a)));
      }),
      { numRuns: 60 },
    );
  });

  it("in union", () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        expect(unionPorts(a, b)).toEqual(fromBitmap(bitmap([...a, ...b])));
      }),
      { numRuns: 60 },
    );
  });

  it("in subtraction and containment", () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const taken = bitmap(b);
        const rest = bitmap(a).map((bit, at) => (bit === 1 && taken[at] !== 1 ? 1 : 0));
        expect(subtractPorts(a, b)).toEqual(fromBitmap(rest));
        expect(containsPorts(b, a)).toBe(!rest.includes(1));
      }),
      { numRuns: 60 },
    );
  });
});

describe("containsPorts", () => {
  it("sees a range that spans two touching ranges as contained", () => {
    expect(containsPorts(parsePorts(["1-10", "11-20"]), parsePorts(["5-15"]))).toBe(true);
  });

  it("sees one port outside", () => {
    expect(containsPorts(parsePorts(["1-10", "12-20"]), parsePorts(["5-15"]))).toBe(false);
  });
});

describe("the kernel's port sysctls", () => {
  it("are written as the kernel prints them", () => {
    expect(formatReservedPorts(parsePorts(["50100-50110", 50000, "50050-50051"]))).toBe(
      "50000,50050-50051,50100-50110",
    );
    expect(formatReservedPorts([])).toBe("");
  });

  it("are read back as what was written", () => {
    fc.assert(
      fc.property(ranges, (a) => {
        expect(parseReservedPorts(`${formatReservedPorts(a)}\n`)).toEqual(normalisePorts(a));
      }),
    );
    expect(parseLocalPortRange("49152\t65535\n")).toEqual({ from: 49152, to: 65535 });
  });

  it("leaves out port 0, which only the bitmap knows", () => {
    expect(parseReservedPorts("0,5")).toEqual([{ from: 5, to: 5 }]);
    expect(parseReservedPorts("0-3")).toEqual([{ from: 1, to: 3 }]);
  });

  it.each(["x", "1;2", "1-2-3", "1,,2"])("refuses %j as reserved ports", (text) => {
    expect(() => parseReservedPorts(text)).toThrow(RangeError);
  });

  it.each(["", "49152", "1 2 3", "a b"])("refuses %j as a port range", (text) => {
    expect(() => parseLocalPortRange(text)).toThrow(RangeError);
  });
});
