import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";

const tree = join(import.meta.dirname, "../../..");

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "closing-line-"));
  await symlink(join(tree, "node_modules"), join(project, "node_modules"));
});

afterEach(() => rm(project, { recursive: true }));

/** Runs what `npm test` runs on one file of tests. */
async function run(body: string, ...args: string[]) {
  const head = 'import { beforeAll, describe, expect, it } from "vitest";\n';
  await writeFile(join(project, "some.test.ts"), `${head}${body}`);
  const command = [join(tree, "scripts/test.ts"), "--root", project, ...args];
  const { stdout, exitCode } = await execa(process.execPath, command, { cwd: project, reject: false });
  const lines = stdout.split("\n");
  return { lines, closing: lines.at(-1), exitCode };
}

it("succeeds when all pass", async () => {
  expect(await run('it("a", () => {}); it("b", () => {});')).toMatchObject({
    closing: "2 passed, 0 failed, 0 skipped",
    exitCode: 0,
  });
});

it("counts failures, and tells why each skipped test was skipped", async () => {
  const { lines, closing, exitCode } = await run(
    'it("a", () => {}); it("b", () => expect(1).toBe(2)); it("c", (context) => context.skip("no such tool"));',
  );
  expect({ closing, exitCode }).toEqual({ closing: "1 passed, 1 failed, 1 skipped", exitCode: 1 });
  expect(lines).toContain("skipped: some.test.ts > c: no such tool");
});

it.each([
  ["a file that does not load", 'it("a", () => {}); throw new Error("broken");', "0 passed, 1 failed, 0 skipped"],
  [
    "a hook that fails",
    'it("a", () => {}); describe("b", () => { beforeAll(() => { throw new Error("broken"); }); it("c", () => {}); });',
    "1 passed, 1 failed, 1 skipped",
  ],
  ["an unhandled error", 'it("a", () => void Promise.reject(new Error("broken")));', "1 passed, 1 failed, 0 skipped"],
  ["a file without tests", "", "0 passed, 1 failed, 0 skipped"],
  ["a run in which nothing ran", 'it.skip("a", () => {});', "0 passed, 1 failed, 1 skipped"],
  ["a forgotten only", 'it.only("a", () => {}); it("b", () => {});', "0 passed, 1 failed, 1 skipped"],
])("counts %s as failed", async (_what, body, expected) => {
  const { closing, exitCode } = await run(body);
  expect({ closing, exitCode }).toEqual({ closing: expected, exitCode: 1 });
});

it("fails where no file matches", async () => {
  expect(await run('it("a", () => {});', "nothing")).toMatchObject({
    closing: "0 passed, 1 failed, 0 skipped",
    exitCode: 1,
  });
});
