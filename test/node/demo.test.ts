import { describe, expect, it } from "vitest";
import { withDemo } from "../cluster/demo-process.ts";
import { waitFor } from "../lab/wait-for.ts";
import { IMAGE_VARIABLE } from "./build-image.ts";

describe("the demo on real nodes", () => {
  it("shows the same, with the operator installed by its chart, and leaves nothing behind", async () => {
    await withDemo({ args: ["--kubelet"] }, async (demo) => {
      await demo.line(/starting 2 nodes/);
      const runs = demo.runs();
      expect(runs).not.toEqual([]);
      expect(await demo.ended, demo.printed()).toBe(0);
      expect(demo.printed()).toMatch(/^ +node1 +Ready +.*\n +node2 +Ready /m);
      expect(demo.printed()).toMatch(/^ +port-hardening +port-hardening-agent-\S+ +2\/2 +Running/m);
      expect(demo.printed()).not.toMatch(/^ +FAIL /m);
      expect(demo.printed().match(/^ +ok /gm)?.length).toBeGreaterThanOrEqual(26);
      expect(demo.printed()).toMatch(/happened: protocols\.plaintext-http after \d+\.\d s/);
      expect(demo.printed()).toMatch(/happened: would cut 2 connections to 8443\/tcp .*; exit code 3/);
      expect(demo.printed()).toMatch(/happened: guard: not confirmed \(expired\): rolling back/);
      expect(await demo.leftovers(runs)).toEqual([]);
    });
  }, 420_000);

  // Moments at which other programs run than in the demo on namespaces (test/cluster/demo.test.ts).
  it.each([
    // It builds an image of its own where it is given none.
    { during: "building an image", line: /building the operator/, program: /buildah .* build /, image: undefined },
    { during: "starting nodes", line: /starting 2 nodes/, program: /containerd .*--config/ },
    { during: "installing", line: /starting servers/, program: /helm upgrade/ },
  ])(
    "leaves nothing behind when it is interrupted while $during",
    async ({ line, program, ...own }) => {
      const env = "image" in own ? { [IMAGE_VARIABLE]: own.image } : {};
      await withDemo({ args: ["--kubelet"], env }, async (demo) => {
        await demo.line(line);
        const runs = demo.runs();
        await waitFor(`${program}`, () => demo.processes().some((one) => program.test(one)) || undefined, {
          timeoutMilliseconds: 180_000,
          giveUp: () => (demo.process.exitCode === null ? undefined : new Error(demo.printed())),
        });
        demo.process.kill("SIGINT");
        expect(await demo.ended).not.toBe(0);
        expect(await demo.leftovers(runs)).toEqual([]);
      });
    },
    300_000,
  );
});
