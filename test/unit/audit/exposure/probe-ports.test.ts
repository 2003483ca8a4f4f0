import { describe, expect, it } from "vitest";
import { probePorts } from "../../../../src/audit/exposure/probe-ports.ts";
import { tcp } from "../subject.ts";

const everything = { protectedPorts: [{ from: 1024, to: 65535 }], skipProbes: [] };

describe("the ports that a peer is to try", () => {
  it("are the protected ones on which something listens, and a sample of 16 others", () => {
    const ports = probePorts([tcp(8080, 1), tcp(9100, 2, "198.18.0.1"), tcp(22, 3)], everything, "seed");
    expect(ports).toEqual(expect.arrayContaining([8080, 9100]));
    expect(ports).toHaveLength(18);
    expect(ports).not.toContain(22);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(1024);
  });

  it("are never one that is to be skipped, nor one that listens on loopback or UDP alone", () => {
    const protectedPorts = [{ from: 2000, to: 2009 }];
    const skipProbes = [{ from: 2005, to: 2009 }];
    const listeners = [
      tcp(2000, 1, "127.0.0.1"),
      tcp(2001, 2, "::1"),
      { ...tcp(2002, 3), protocol: "UDP" as const },
      tcp(2006, 4),
    ];
    expect(probePorts(listeners, { protectedPorts, skipProbes }, "seed")).toEqual([2002, 2003, 2004]);
  });

  it("are others in each audit, and the same for the same seed", () => {
    const [one, again, other] = ["a", "a", "b"].map((seed) => probePorts([], everything, seed));
    expect(again).toEqual(one);
    expect(one?.filter((port) => other?.includes(port))).toEqual([]);
  });

  it("are 80 at most, and of many listeners others each time", () => {
    const many = Array.from({ length: 500 }, (_, n) => tcp(2000 + n, n));
    const one = probePorts(many, everything, "a");
    expect(one).toHaveLength(80);
    expect(probePorts(many, everything, "b")).not.toEqual(one);
    const tried = new Set(Array.from({ length: 60 }, (_, n) => probePorts(many, everything, `audit ${n}`)).flat());
    expect(many.filter(({ port }) => !tried.has(port))).toEqual([]);
  });

  it("come from all parts of several ranges", () => {
    const protectedPorts = [
      { from: 5000, to: 5001 },
      { from: 7000, to: 7001 },
    ];
    expect(probePorts([], { protectedPorts, skipProbes: [] }, "seed")).toEqual([5000, 5001, 7000, 7001]);
  });

  it("are none where nothing is protected", () => {
    expect(probePorts([tcp(8080, 1)], { protectedPorts: [], skipProbes: [] }, "seed")).toEqual([]);
  });
});
