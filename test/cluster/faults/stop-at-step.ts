/**
 * Loaded into a real agent (`node --import`): ends or stops its process just before one of the steps by which it changes
 * the node, exactly there. A step is a change of a file or folder of the state directory, or a program that is to change the kernel.
 *
 * STEPS_FOLDER holds `order` (`SIGNAL STEP`: at which one of the next change, by its number from 1 or its name) and gets `trace`: the steps of that
 * change up to there, one a line. The agent knows nothing of this; its own functions of node:fs and node:child_process are wrapped.
 */
import childProcess from "node:child_process";
import { appendFileSync, readFileSync, renameSync, statSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join, relative } from "node:path";

const folder = process.env["STEPS_FOLDER"] ?? "";
const stateDirectory = process.argv[process.argv.indexOf("--state-dir") + 1] ?? "";
/** By which a change begins (src/agent/guard-folder.ts). */
const FIRST = "mkdir guard";
/** Long enough for a signal to arrive. */
const SIGNAL_MILLISECONDS = 1_000;

/** By when it was given: a second order is told from the first. */
let underWay: { readonly order: number; steps: number } | undefined;

function step(label: string): void {
  const order = join(folder, "order");
  const given = statSync(order, { throwIfNoEntry: false })?.ctimeMs;
  if (given === undefined) return;
  if (underWay?.order !== given && label === FIRST) underWay = { order: given, steps: 0 };
  if (underWay?.order !== given) return;
  const [, signal, at] = /^(\S+) (.*)$/m.exec(readFileSync(order, "utf8")) ?? [];
  appendFileSync(join(folder, "trace"), `${label}\n`);
  underWay.steps += 1;
  if (at !== label && Number(at) !== underWay.steps) return;
  renameSync(order, join(folder, "done"));
  process.kill(process.pid, signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SIGNAL_MILLISECONDS);
}

const own = (path: unknown): string | undefined => {
  const name = typeof path === "string" ? relative(stateDirectory, path) : "..";
  return name.startsWith("..") ? undefined : name || ".";
};
function changes(what: string, path: unknown): void {
  const name = own(path);
  if (name !== undefined) step(`${what} ${name.replace(/^guard\/arming\/.*/, "guard/arming/*")}`);
}

const { mkdir, open, rename, rm, writeFile } = files;
files.mkdir = ((...args: Parameters<typeof mkdir>) => {
  changes("mkdir", args[0]);
  return mkdir(...args);
}) as typeof mkdir;
files.open = ((...args: Parameters<typeof open>) => {
  if (args[1] !== undefined && args[1] !== "r") changes("write", args[0]);
  return open(...args);
}) as typeof open;
files.rename = (from, to) => {
  changes("rename", from);
  return rename(from, to);
};
files.rm = (path, options) => {
  changes("rm", path);
  return rm(path, options);
};
files.writeFile = ((...args: Parameters<typeof writeFile>) => {
  changes("write", args[0]);
  return writeFile(...args);
}) as typeof writeFile;

const { spawn } = childProcess;
childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
  const name = args[0].split("/").at(-1) ?? "";
  const writes = name.endsWith("-restore") || (name === "ipset" && args[1]?.includes("restore") === true);
  if (!writes) return spawn(...args);
  step(`run ${name}`);
  const child = spawn(...args);
  step(`started ${name}`);
  return child;
}) as typeof spawn;
syncBuiltinESMExports();
