import { describe, expect, it } from "vitest";
import { withDemo } from "./demo-process.ts";

describe("a demo that is interrupted", () => {
  it.each([
    /starting etcd/,
    /making 3 nodes/,
    /starting the controller/,
    /kubectl apply -f policy/,
    /web-server\.ts 8080/,
    // The guard is about to roll back, and no agent runs on the node.
    /kill -9 of the agent/,
  ])(
    "leaves nothing behind at %s",
    async (moment) => {
      await withDemo({}, async (demo) => {
        await demo.line(moment);
        const runs = demo.runs();
        demo.process.kill("SIGINT");
        expect(await demo.ended).not.toBe(0);
        expect(await demo.leftovers(runs)).toEqual([]);
      });
    },
    180_000,
  );
});
