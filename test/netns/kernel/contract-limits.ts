import { expect, it } from "vitest";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import type { Family } from "../../../src/plan/node-plan.ts";
import type { RuleSet, Table } from "../../../src/render/types.ts";
import { JUMP, nothing } from "./samples.ts";
import type { Subject } from "./subject.ts";

/** A limit that remembers its sources for an hour. */
const limiting = (family: Family): Table => ({
  family,
  name: "mangle",
  hooks: [{ chain: "PREROUTING", rules: [JUMP] }],
  chains: [
    {
      name: "PH-PRE",
      rules: [
        "-p udp -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name ph-limit",
      ].map((match) => `${match} --hashlimit-htable-size 16 --hashlimit-htable-max 64 -j DROP`),
    },
  ],
});
const limited: RuleSet = { tables: [limiting(4), limiting(6)], sets: [], sysctls: [] };

export function describeLimits(current: () => Subject, started: () => Kernel): void {
  it("tells how many sources a limit remembers, in each family, and of no table that is not there", async () => {
    const sources = () => started().limitSources(["ph-limit", "ph-other"]);
    const remembered = (count: number) => [4, 6].map((family) => ({ table: "ph-limit", family, sources: count }));
    expect(await sources()).toEqual([]);
    await started().apply(limited);
    expect(await sources()).toEqual(remembered(0));
    await current().send(3);
    expect(await sources()).toEqual(remembered(1));
    await started().apply(nothing);
    await expect.poll(sources).toEqual([]);
  });
}
