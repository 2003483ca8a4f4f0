import { expect, it } from "vitest";
import { waitFor } from "../../lab/wait-for.ts";
import { allowed, enforcesAlone, faultLab, harmless, refused, workers } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const stopping = steps(() => one);
const one = faultLab(stopping.through);

const reached = async () => [await one.outsideReaches(allowed), await one.outsideReaches(refused)];
const enforced = (revision: typeof workers) =>
  one.lab.statusWhere("the revision to be enforced", enforcesAlone(revision));

it("an API server that is away before a change, over a restart of the agent, changes nothing until it is back", async () => {
  const { lab } = one;
  const before = await lab.everything();
  await one.agent.stop();
  await lab.assign([harmless]);
  await lab.controlPlane.stop();
  one.agent = await lab.startAgent([], stopping.through());
  await one.agent.waitForLog(/watch failed/, 60_000);
  expect(await reached()).toEqual([true, false]);
  expect(await lab.everything()).toBe(before);
  await lab.controlPlane.start();
  await enforced(harmless);
  expect([await one.reachesApiServer(), ...(await reached())]).toEqual([true, true, false]);
});

it("one that goes within the time to confirm has the change taken back, charged to nobody, and made when it is back", async () => {
  const { lab } = one;
  const before = await lab.everything();
  // Everything is in the kernel, and nothing was tried yet but that the guard has it.
  stopping.order("SIGSTOP", "rename guard/armed/.applied");
  await lab.assign([harmless]);
  await stopping.stopped();
  expect(await lab.everything()).not.toBe(before);
  await lab.controlPlane.stop();
  one.agent.signal("SIGCONT");
  await one.agent.waitForLog(/the cause is elsewhere/, 60_000);
  expect(await lab.everything()).toBe(before);
  expect(await reached()).toEqual([true, false]);
  await lab.controlPlane.start();
  await enforced(harmless);
  expect([await one.reachesApiServer(), ...(await reached())]).toEqual([true, true, false]);
});

it("one that goes after a change was confirmed takes nothing back", async () => {
  const { lab } = one;
  await lab.assign([harmless]);
  await enforced(harmless);
  const after = await lab.everything();
  await lab.controlPlane.stop();
  await one.agent.waitForLog(/watch failed/, 60_000);
  expect(await reached()).toEqual([true, false]);
  expect(await lab.everything()).toBe(after);
  await lab.controlPlane.start();
  await waitFor("the node to reach it", async () => (await one.reachesApiServer()) || undefined, {
    timeoutMilliseconds: 30_000,
  });
  await lab.assign([workers]);
  await enforced(workers);
});
