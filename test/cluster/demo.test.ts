import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { controlPlanePrograms } from "../lab/control-plane-programs.ts";
import { withDemo } from "./demo-process.ts";

describe("the demo", () => {
  it("shows the main job, finds everything as expected, and leaves nothing behind", async () => {
    await withDemo({}, async (demo) => {
      await demo.line(/making 3 nodes/);
      const runs = demo.runs();
      expect(runs).not.toEqual([]);
      expect(await demo.ended, demo.printed()).toBe(0);
      expect(demo.printed()).not.toMatch(/^ +FAIL /m);
      expect(demo.printed().match(/^ +ok /gm)?.length).toBeGreaterThanOrEqual(29);
      expect(demo.printed()).toMatch(/happened: protocols\.plaintext-http after \d+\.\d s/);
      expect(demo.printed()).toMatch(/happened: would cut 2 connections to 8443\/tcp .*; exit code 3/);
      expect(demo.printed()).toMatch(/happened: guard: not confirmed \(expired\): rolling back/);
      expect(await demo.leftovers(runs)).toEqual([]);
    });
  }, 180_000);

  it("stays up for one's own kubectl with --keep, until it is interrupted", async () => {
    await withDemo({ args: ["--keep"] }, async (demo) => {
      await demo.line(/export KUBECONFIG=/);
      const runs = demo.runs();
      const [, kubeconfig = ""] = /export KUBECONFIG=(\S+)/.exec(demo.printed()) ?? [];
      const [kubectl, ...first] = controlPlanePrograms().kubectl;
      // From the machine's own network, as a person would.
      const { stdout } = await execa(kubectl, [...first, "--kubeconfig", kubeconfig, "get", "phpol"]);
      expect(stdout).toMatch(/workers +Enforce +3 +3 +0 +0 +Ready/);
      demo.process.kill("SIGINT");
      expect(await demo.ended).toBe(0);
      expect(await demo.leftovers(runs)).toEqual([]);
    });
  }, 180_000);
});
