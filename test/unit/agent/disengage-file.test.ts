import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { disengageFile } from "../../../src/agent/disengage-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "port-hardening-state-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = () => join(folder, "disengaged");

it("is engaged where nobody said otherwise, also before there is a folder", async () => {
  expect(await disengageFile(folder).read()).toBeUndefined();
  expect(await disengageFile(join(folder, "none")).read()).toBeUndefined();
});

it("is disengaged until it is engaged, and says why", async () => {
  const file = disengageFile(join(folder, "new"));
  await file.disengage("on call, ticket 12");
  expect(await file.read()).toEqual({ since: expect.any(Number), why: "on call, ticket 12" });
  expect(await file.engage()).toBe(true);
  expect(await file.read()).toBeUndefined();
  expect(await file.engage()).toBe(false);
});

it("takes a file that somebody touched", async () => {
  await writeFile(path(), "");
  await utimes(path(), 1_767_225_600, 1_767_225_600);
  expect(await disengageFile(folder).read()).toEqual({ since: 1_767_225_600_000, why: "" });
});

it("keeps what was said and when, where it is done again without a word", async () => {
  await writeFile(path(), "first\n");
  await utimes(path(), 1_767_225_600, 1_767_225_600);
  const file = disengageFile(folder);
  await file.disengage("");
  expect(await file.read()).toEqual({ since: 1_767_225_600_000, why: "first" });
  await file.disengage("second");
  expect(await file.read()).toMatchObject({ why: "second" });
});

it("shows no more of a file than a status takes, and nothing that steers a terminal", async () => {
  await writeFile(path(), `\u001b[2J${"x".repeat(100_000)}`);
  const why = (await disengageFile(folder).read())?.why;
  expect(why).toHaveLength(200);
  expect(why?.startsWith("?[2Jxxx")).toBe(true);
});

it("does not take what it cannot see for engaged", async () => {
  await mkdir(path());
  await expect(disengageFile(folder).read()).rejects.toThrow("EISDIR");
});
