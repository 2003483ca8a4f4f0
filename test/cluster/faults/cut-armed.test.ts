import { readdirSync, statSync, truncateSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { allowed, enforcesAlone, faultLab, harmless, refused, workers } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const stopping = steps(() => one);
const one = faultLab(stopping.through);
vi.setConfig({ testTimeout: 600_000 });

const reached = async () => [await one.outsideReaches(allowed), await one.outsideReaches(refused)];

it("what brings a node back, cut at any file before the change is confirmed, costs neither the node nor its rules", async () => {
  const { lab } = one;
  let [next, other] = [harmless, workers];
  for (const name of await armedFiles()) {
    for (const share of [0, 0.5]) {
      stopping.order("SIGKILL", "rename guard/armed");
      await lab.assign([next]);
      await stopping.stopped();
      await one.agent.exited;
      truncateSync(one.folder("armed", name), Math.floor(statSync(one.folder("armed", name)).size * share));
      one.agent = await lab.startAgent([], stopping.through());
      await lab.statusWhere(`${name} cut to ${share}: the change to be enforced`, enforcesAlone(next));
      expect([await one.reachesApiServer(), ...(await reached())], name).toEqual([true, true, false]);
      [next, other] = [other, next];
    }
  }
});

/** What is saved for a change, but for marks, which hold nothing. */
async function armedFiles(): Promise<readonly string[]> {
  stopping.order("SIGKILL", "rename guard/armed");
  await one.lab.assign([harmless]);
  await stopping.stopped();
  await one.agent.exited;
  const names = readdirSync(one.folder("armed")).filter((name) => statSync(one.folder("armed", name)).size > 0);
  expect(names).toEqual(expect.arrayContaining(["boot", "change.json", "deadline", "last.json", "rules.4", "sums"]));
  one.agent = await one.lab.startAgent([], stopping.through());
  await one.lab.statusWhere("the change to be enforced", enforcesAlone(harmless));
  await one.lab.assign([workers]);
  await one.lab.statusWhere("workers to be enforced alone", enforcesAlone(workers));
  return names;
}
