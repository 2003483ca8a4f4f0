import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversInterface, normaliseInterfacePatterns, normaliseInterfaces } from "../../../src/plan/interfaces.ts";

const name = fc.stringMatching(/^[ab]{1,3}$/);
const pattern = fc.oneof(name, fc.stringMatching(/^[ab]{0,2}\+$/));

/** The plainest reading of iptables(8): a trailing `+` stands for any ending. */
const matches = (candidate: string, text: string) => new RegExp(`^${candidate.replace(/\+$/, ".*")}$`).test(text);

describe("normaliseInterfacePatterns", () => {
  it("drops what a wider pattern covers", () => {
    expect(normaliseInterfacePatterns(["eth0", "wlan0", "eth+", "eth1+", "eth"])).toEqual(["eth+", "wlan0"]);
  });

  it("keeps names that only look alike", () => {
    expect(normaliseInterfacePatterns(["eth1", "eth10"])).toEqual(["eth1", "eth10"]);
  });

  it("matches the same interfaces as before, each by one pattern only", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), name, (patterns, text) => {
        const normal = normaliseInterfacePatterns(patterns);
        const hits = normal.filter((candidate) => matches(candidate, text)).length;
        expect(hits).toBe(patterns.some((candidate) => matches(candidate, text)) ? 1 : 0);
      }),
    );
  });

  it("does not depend on order or repetition", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), (patterns) => {
        const normal = normaliseInterfacePatterns(patterns);
        expect(normaliseInterfacePatterns([...patterns.toReversed(), ...patterns])).toEqual(normal);
        expect(normaliseInterfacePatterns(normal)).toEqual(normal);
      }),
    );
  });
});

describe("coversInterface", () => {
  it("lets a wildcard cover its own stem and itself", () => {
    expect(coversInterface("eth+", "eth")).toBe(true);
    expect(coversInterface("eth+", "eth+")).toBe(true);
    expect(coversInterface("eth0", "eth+")).toBe(false);
  });
});

describe("normaliseInterfaces", () => {
  it("reads an absent match, and an include of everything, as every interface", () => {
    expect(normaliseInterfaces()).toEqual({ include: [], exclude: [] });
    expect(normaliseInterfaces({ include: ["eth0", "+"] })).toEqual({ include: [], exclude: [] });
  });

  it("keeps an exclude of everything, which matches nothing", () => {
    expect(normaliseInterfaces({ exclude: ["+", "eth0"] })).toEqual({ include: [], exclude: ["+"] });
  });
});
