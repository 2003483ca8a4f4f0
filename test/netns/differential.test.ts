import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { arbitraryCase, type Case, SHOTS } from "../differential/arbitrary-case.ts";
import { createNetwork, type Network } from "../differential/network.ts";
import { describeShot } from "../differential/shot.ts";
import { shoot, threeReadings } from "../differential/three-readings.ts";
import { createEnforcer } from "./packets/enforcer.ts";

/** `PAIRS=10000 SEED=...` runs more of them, or the same again. */
const pairs = Number(process.env["PAIRS"] ?? 500);
const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
/** Few, so that there are many policies; each case costs one time-out, as everything is sent at once. */
const pairsPerCase = 50;
const shrinkMilliseconds = 60_000;

let network: Network;
let kernel: Kernel;

beforeAll(async () => {
  network = await createNetwork();
  ({ kernel } = await createEnforcer(network.node));
}, 60_000);
afterAll(() => network.lab.close());

it("answers every packet where nothing is enforced", async () => {
  const seen = await shoot(network, SHOTS, 3_000);
  expect(SHOTS.filter((_, index) => !seen[index]).map(describeShot)).toEqual([]);
});

it(
  `kernel, simulator and the plain reading agree on ${pairs} pairs of policies and packets (SEED=${seed})`,
  async () => {
    const sum = { sent: 0, dropped: 0 };
    const property = fc.asyncProperty(arbitraryCase(pairsPerCase), async (one: Case) => {
      const { dropped, disagreements } = await threeReadings(network, kernel, one);
      sum.sent += one.shots.length;
      sum.dropped += dropped;
      const examples = disagreements.slice(0, 3).join("\n");
      if (examples !== "") throw new Error(`${disagreements.length} disagreements, such as\n${examples}`);
    });
    await fc.assert(property, { seed, numRuns: Math.ceil(pairs / pairsPerCase) });
    console.info(`${sum.sent} packets, ${sum.dropped} dropped, SEED=${seed}`);
    // Agreement about packets that all share one fate would prove little.
    expect(sum.dropped / sum.sent, "share of dropped packets").toBeGreaterThan(0.05);
    expect(sum.dropped / sum.sent, "share of dropped packets").toBeLessThan(0.95);
  },
  60_000 + 40 * pairs + shrinkMilliseconds,
);
