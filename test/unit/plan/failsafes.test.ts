import { describe, expect, it } from "vitest";
import { DEFAULT_FAILSAFES } from "../../../src/plan/failsafes.ts";
import type { Failsafe } from "../../../src/plan/node-plan.ts";
import type { Protocol } from "../../../src/plan/types.ts";

const { inbound, outbound } = DEFAULT_FAILSAFES;

/** Who passes at this port before any policy. */
function open(failsafes: readonly Failsafe[], protocol: Protocol, port: number): readonly Failsafe["peers"][] {
  return failsafes
    .filter((one) => one.protocol === protocol && one.ports.some(({ from, to }) => from <= port && port <= to))
    .map(({ peers }) => peers);
}

const betweenNodes = [
  ...([10250, 6443, 2379, 2380, 8132, 179, 50000, 50001, 16443, 25000, 7946] as const).map(
    (port) => ["TCP", port] as const,
  ),
  ...([4789, 6081, 8472, 51820, 51821, 51871, 7946] as const).map((port) => ["UDP", port] as const),
];

describe("the default failsafes", () => {
  it.each([
    ["TCP", 22],
    ["UDP", 67],
    ["UDP", 68],
    ["UDP", 546],
    ["UDP", 547],
  ] as const)("let everybody reach %s %i", (protocol, port) => {
    expect(open(inbound, protocol, port)).toEqual(["Everybody"]);
  });

  it.each([
    ["TCP", 53],
    ["UDP", 53],
    ["UDP", 123],
    ["UDP", 67],
    ["UDP", 547],
  ] as const)("let the node reach %s %i of everybody", (protocol, port) => {
    expect(open(outbound, protocol, port)).toEqual(["Everybody"]);
  });

  it.each(betweenNodes)("let only nodes reach %s %i, and the node reach it on nodes only", (protocol, port) => {
    expect([open(inbound, protocol, port), open(outbound, protocol, port)]).toEqual([["Nodes"], ["Nodes"]]);
  });

  it("open nothing above 1023 to the world", () => {
    const worldOpen = [...inbound, ...outbound].filter(({ peers }) => peers === "Everybody");
    expect(worldOpen.flatMap(({ ports }) => ports).filter(({ to }) => to > 1023)).toEqual([]);
  });

  it("open no port of web servers to the world, which would make outbound rules idle", () => {
    expect([80, 443, 22].flatMap((port) => open(outbound, "TCP", port))).toEqual(["Nodes"]);
  });
});
