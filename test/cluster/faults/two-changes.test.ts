import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../lab/wait-for.ts";
import { allowed, enforcesAlone, fatal, faultLab, harmless, is, only, refused, workers } from "./fault-lab.ts";

const one = faultLab();

describe("two changes", () => {
  it("in quick succession end with the second, confirmed", async () => {
    const { lab } = one;
    await lab.assign([workers, fatal]);
    await lab.assign([harmless]);
    await lab.statusWhere("the second to be Enforced", enforcesAlone(harmless));
    expect([
      await one.reachesApiServer(),
      await one.outsideReaches(allowed),
      await one.outsideReaches(refused),
    ]).toEqual([true, true, false]);
  });

  it("of which one is taken back within its time leave no trace of it", async () => {
    const { lab } = one;
    const before = await lab.everything();
    await lab.assign([workers, fatal]);
    await one.applied();
    // The node is cut off: the wish waits until it is back.
    await lab.assign([workers]);
    let seen = "";
    await waitFor(
      "the node to be as before",
      async () => {
        seen = await lab.everything();
        return seen === before && !existsSync(one.folder("armed")) ? true : undefined;
      },
      { timeoutMilliseconds: 30_000, intervalMilliseconds: 200, lastSeen: () => seen },
    );
    await lab.statusWhere("workers alone to be Enforced", (status) => only(status) && is("Enforced")(status));
    expect(await one.reachesApiServer()).toBe(true);
  });
});
