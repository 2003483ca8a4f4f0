import { describe, expect, it } from "vitest";
import { closingLine, parseClosingLine } from "../../../scripts/closing-line.ts";
import { runTiers, type Tier } from "../../../scripts/run-tiers.ts";

const tier = (name: string, script: string): Tier => ({ name, command: ["sh", "-c", script] });

async function runAll(...tiers: readonly Tier[]) {
  const lines: string[] = [];
  const counts = await runTiers(tiers, (line) => lines.push(line), new AbortController().signal);
  return { counts, lines };
}

describe("the sum of all tiers", () => {
  it("adds up passed, failed and skipped, and runs the tiers after one that failed", async () => {
    const { counts, lines } = await runAll(
      tier("one", "echo 3 passed, 0 failed, 1 skipped"),
      tier("two", "echo 4 passed, 2 failed, 0 skipped; exit 1"),
      tier("three", "echo noise; echo 5 passed, 0 failed, 0 skipped"),
    );
    expect(counts).toEqual({ passed: 12, failed: 2, skipped: 1 });
    expect(lines).toContain("noise");
    expect(lines.at(-2)).toMatch(/^two: 4 passed, 2 failed, 0 skipped, exit code 1, \d+ s$/);
  });

  it.each([
    ["fails though its line says that nothing did", "echo 4 passed, 0 failed, 0 skipped; exit 1", 4],
    ["prints no closing line", "echo all is well", 0],
    ["prints something behind it", "echo 4 passed, 0 failed, 0 skipped; echo and then it broke", 0],
    ["prints nothing", "exit 0", 0],
    ["is ended by a signal", "echo 4 passed, 0 failed, 0 skipped; kill -KILL $$", 4],
  ])("counts one failure where a tier %s", async (_, script, passed) => {
    expect((await runAll(tier("odd", script))).counts).toEqual({ passed, failed: 1, skipped: 0 });
  });

  it("counts one failure where a tier's command is not there", async () => {
    const { counts } = await runAll({ name: "none", command: ["/nonexistent/program"] });
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("ends the tier that runs, and begins no other, when it is told to stop", async () => {
    const stop = new AbortController();
    // The shell waits for a grandchild that holds its output, as npm's does.
    const tiers = [
      tier("long", "echo begun; sleep 60; echo never"),
      tier("next", "echo 1 passed, 0 failed, 0 skipped"),
    ];
    const lines: string[] = [];
    const write = (line: string) => {
      lines.push(line);
      if (line === "begun") stop.abort();
    };
    expect(await runTiers(tiers, write, stop.signal)).toEqual({ passed: 0, failed: 2, skipped: 0 });
    expect(lines).not.toContain("never");
  });
});

it("reads back the closing line that it writes, and no other line", () => {
  const counts = { passed: 10, failed: 0, skipped: 2 };
  expect(parseClosingLine(closingLine(counts))).toEqual(counts);
  expect(parseClosingLine("10 passed, 0 failed")).toBeUndefined();
  expect(parseClosingLine(" 10 passed, 0 failed, 2 skipped")).toBeUndefined();
});
