import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { assigned } from "../../unit/plan/policies.ts";
import { allowed, enforcesAlone, fatal, faultLab, harmless, is, refused, workers } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const stopping = steps(() => one);
const one = faultLab(stopping.through);
vi.setConfig({ testTimeout: 600_000 });

const reached = async () => [await one.outsideReaches(allowed), await one.outsideReaches(refused)];
const state = (...names: string[]) => join(one.lab.node.stateDirectory, ...names);
const files = (folder: string) => readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());

/** Nothing left, the half, and all but the last byte. Unit tests cut at each. */
function cuts(path: string): readonly number[] {
  const { size } = statSync(path);
  return [...new Set([0, Math.floor(size / 2), size - 1])].filter((length) => length >= 0 && length < size);
}

it("an agent that starts on a state that was cut, with the API server away, leaves rules as they are, and goes on when it is back", async () => {
  const { lab } = one;
  // So that each file is there: what was rolled back, and what settings were before.
  const settings = assigned({ sysctls: { "net.ipv4.tcp_syncookies": "2" } }, "settings");
  await lab.assign([workers, settings]);
  await lab.statusWhere("the settings to be Enforced", is("Enforced", "settings"));
  await lab.assign([workers, settings, fatal]);
  await lab.statusWhere("fatal to be RolledBack", is("RolledBack", "fatal"));
  await one.agent.stop();
  const rules = await lab.everything();
  await lab.controlPlane.stop();
  const kept = files(state());
  expect(kept).toEqual(expect.arrayContaining(["last.json", "originals.json", "rolled-back.json"]));
  for (const name of kept) {
    const whole = readFileSync(state(name));
    for (const length of cuts(state(name))) {
      truncateSync(state(name), length);
      one.agent = await lab.startAgent([], stopping.through());
      await one.agent.waitForLog(/policies (not )?enforced|the kernel is left as it is/, 60_000);
      await one.agent.waitForLog(/watch failed/, 60_000);
      expect(one.agent.running, `${name} cut to ${length}`).toBe(true);
      expect(await reached(), `${name} cut to ${length}`).toEqual([true, false]);
      expect(await lab.everything(), `${name} cut to ${length}`).toBe(rules);
      await one.agent.stop();
      writeFileSync(state(name), whole);
    }
  }
  for (const name of kept)
    if (!name.endsWith(".copy")) truncateSync(state(name), Math.floor(statSync(state(name)).size / 2));
  one.agent = await lab.startAgent([], stopping.through());
  await lab.controlPlane.start();
  await lab.assign([harmless]);
  await lab.statusWhere("the node to follow again", enforcesAlone(harmless));
  expect([await one.reachesApiServer(), ...(await reached())]).toEqual([true, true, false]);
});
