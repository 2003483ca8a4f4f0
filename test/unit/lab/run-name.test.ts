import { expect, it } from "vitest";
import { createRunName, isAlive, parseRunName } from "../../lab/run-name.ts";

it("names a run after its owner, each one differently", () => {
  const [first, second] = [createRunName(), createRunName()];
  expect(first).not.toBe(second);
  expect(parseRunName(first)).toMatchObject({ run: first, owner: { pid: process.pid } });
});

it("finds the run in the name of what belongs to it", () => {
  const run = createRunName();
  expect(parseRunName(`${run}-node-1`)?.run).toBe(run);
});

it.each(["ph", "ph-1-2", "phk-1-2-3", "x-ph-1-2-3", "ph-1-2-3.old", "ph-A-2-3"])("does not claim %s", (name) => {
  expect(parseRunName(name)).toBeUndefined();
});

it("knows its owner from a later process with the same pid", () => {
  const owner = parseRunName(createRunName())?.owner ?? { pid: 0, startTime: 0 };
  expect(isAlive(owner)).toBe(true);
  expect(isAlive({ ...owner, startTime: owner.startTime - 1 })).toBe(false);
});
