import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupNames, removeCgroups } from "./cgroups.ts";
import { isAlive, parseRunName } from "./run-name.ts";

const namedNamespaces = "/run/netns";

export function temporaryFolderOf(run: string): string {
  return join(tmpdir(), run);
}

/** The named network namespaces of a run. */
export function namespacesOf(run: string): string[] {
  return entries(namedNamespaces).filter((name) => parseRunName(name)?.run === run);
}

/** The processes inside a named network namespace: they are found by where they are, never by what they are called. */
export function processesIn(namespace: string): number[] {
  const inode = statSync(join(namedNamespaces, namespace), { throwIfNoEntry: false })?.ino;
  if (inode === undefined) return [];
  return entries("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => readLink(`/proc/${pid}/ns/net`) === `net:[${inode}]`)
    .map(Number);
}

/** By this variable a process in the machine's own network, such as one that builds an image, is known as the run's. */
export const RUN_VARIABLE = "PORT_HARDENING_RUN";

/** The processes that were started, or whose ancestors were, with the run's name in `RUN_VARIABLE`. */
function processesMarked(run: string): number[] {
  const mark = `\0${RUN_VARIABLE}=${run}\0`;
  return entries("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => `\0${readText(`/proc/${pid}/environ`)}`.includes(mark))
    .map(Number);
}

/**
 * Ends all that a run holds: its processes, its namespaces (and with them interfaces, rules and
 * sets), its temporary folder. Synchronous, so that it also works while the owner exits. Idempotent.
 */
export function releaseRun(run: string): void {
  const namespaces = namespacesOf(run);
  const deadline = performance.now() + 5_000;
  for (;;) {
    const pids = [...namespaces.flatMap(processesIn), ...processesMarked(run)];
    if (pids.length === 0) break;
    if (performance.now() > deadline) throw new Error(`processes ${pids.join(", ")} of ${run} outlive SIGKILL`);
    for (const pid of pids) kill(pid);
    pause(10);
  }
  for (const namespace of namespaces) {
    const { status, stderr } = spawnSync("ip", ["netns", "delete", namespace], { encoding: "utf8" });
    if (status !== 0 && namespacesOf(run).includes(namespace))
      throw new Error(`ip netns delete ${namespace}: ${stderr}`);
  }
  // What a node ran ends with its first process, a moment later.
  while (!removeCgroups(`${run}-`) && performance.now() < deadline) pause(20);
  rmSync(temporaryFolderOf(run), { recursive: true, force: true });
}

/** Releases what runs left whose owner is gone. A live run is never touched. Returns the runs that were swept. */
export function sweepDeadRuns(): string[] {
  const dead = new Set<string>();
  for (const name of [...entries(namedNamespaces), ...entries(tmpdir()), ...cgroupNames()]) {
    const parsed = parseRunName(name);
    if (parsed !== undefined && !isAlive(parsed.owner)) dead.add(parsed.run);
  }
  for (const run of dead) releaseRun(run);
  return [...dead];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // No such folder: nothing is in it.
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process has ended meanwhile.
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // The process has ended meanwhile.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
