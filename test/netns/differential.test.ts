import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { arbitraryCase, type Case } from "../differential/arbitrary-case.ts";
import { SHOTS } from "../differential/arbitrary-shot.ts";
import { KEPT } from "../differential/kept-cases.ts";
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
  expect(SHOTS.filter((_, index) => seen[index] !== "Passed").map(describeShot)).toEqual([]);
});

it("kernel, simulator and the plain reading agree on the cases that were kept", async () => {
  for (const one of KEPT) expect((await threeReadings(network, kernel, one)).disagreements, one.why).toEqual([]);
});

it(
  `kernel, simulator and the plain reading agree on ${pairs} pairs of policies and packets (SEED=${seed})`,
  async () => {
    const sum = { Passed: 0, Dropped: 0, Rejected: 0 };
    const property = fc.asyncProperty(arbitraryCase(pairsPerCase), async (one: Case) => {
      const { fates, disagreements } = await threeReadings(network, kernel, one);
      for (const fate of fates) sum[fate] += 1;
      const examples = disagreements.slice(0, 3).join("\n");
      if (examples !== "") throw new Error(`${disagreements.length} disagreements, such as\n${examples}`);
    });
    await fc.assert(property, { seed, numRuns: Math.ceil(pairs / pairsPerCase) });
    const sent = sum.Passed + sum.Dropped + sum.Rejected;
    console.info(`${sent} packets, ${sum.Dropped} dropped, ${sum.Rejected} rejected, SEED=${seed}`);
    // Agreement about packets that all share one fate would prove little. A few policies may hardly reject by chance; many never do.
    if (pairs < 5_000) return;
    for (const fate of ["Passed", "Dropped", "Rejected"] as const)
      expect(sum[fate] / sent, `share of ${fate}`).toBeGreaterThan(0.01);
  },
  60_000 + 40 * pairs + shrinkMilliseconds,
);
