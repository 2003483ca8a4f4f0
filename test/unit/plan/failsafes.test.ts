import { describe, expect, it } from "vitest";
import { DEFAULT_FAILSAFES } from "../../../src/plan/failsafes.ts";
import type { Protocol } from "../../../src/plan/types.ts";

/** Who passes at this port before any policy. */
function open(protocol: Protocol, port: number): readonly string[] {
  return DEFAULT_FAILSAFES.filter(
    (failsafe) => failsafe.protocol === protocol && failsafe.ports.some(({ from, to }) => from <= port && port <= to),
  ).map(({ from }) => from);
}

describe("the default failsafes", () => {
  it.each([
    ["TCP", 22],
    ["UDP", 67],
    ["UDP", 68],
    ["UDP", 546],
    ["UDP", 547],
  ] as const)("let everybody reach %s %i", (protocol, port) => {
    expect(open(protocol, port)).toEqual(["Everybody"]);
  });

  it.each([
    ...([10250, 6443, 2379, 2380, 8132, 179, 50000, 50001, 16443, 25000, 7946] as const).map(
      (port) => ["TCP", port] as const,
    ),
    ...([4789, 6081, 8472, 51820, 51821, 51871, 7946] as const).map((port) => ["UDP", port] as const),
  ])("let only nodes reach %s %i", (protocol, port) => {
    expect(open(protocol, port)).toEqual(["Nodes"]);
  });

  it("open nothing above 1023 to the world", () => {
    const worldOpen = DEFAULT_FAILSAFES.filter(({ from }) => from === "Everybody").flatMap(({ ports }) => ports);
    expect(worldOpen.filter(({ to }) => to > 1023)).toEqual([]);
  });
});
