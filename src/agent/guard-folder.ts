import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { RollBackFiles } from "../kernel/kernel.ts";
import { formatChecked, parseChecked } from "./checked-file.ts";
import { NotArmedError } from "./commit-errors.ts";
import type { LeftChange, PendingChange, ProbedChange } from "./pending-change.ts";
import { renameIfThere, withdrawArmed } from "./withdraw-armed.ts";

/** What an agent needs of the guard of its node: whoever is dead or hung, one of the two brings the node back. */
export interface Guard {
  /**
   * Hands over what brings the node back, and waits until the guard says that it has it, whole. Throws NotArmedError
   * where there is no guard or no room on the disk; nothing may be applied then.
   */
  arm(change: PendingChange, rollBack: RollBackFiles, timeoutSeconds: number): Promise<void>;
  /** All of the change is in the kernel. False: the guard was not asked, but has rolled back. */
  applied(): Promise<boolean>;
  /** The change stays. False: the guard was first. */
  confirm(): Promise<boolean>;
  /** Nothing of the change was applied, or it was undone. */
  withdraw(): Promise<void>;
  /** Has what is armed rolled back now, by the guard or, where that is gone, without it. Resolves when it is done. */
  rollBack(): Promise<void>;
  /** What is there, once nobody rolls back any more. */
  left(): Promise<LeftChange | undefined>;
  /** Forgets what `left` said of a change that was rolled back. */
  forget(): Promise<void>;
}

export interface GuardFolderOptions {
  /** The folder that the guard watches, below the agent's state directory. */
  readonly path: string;
  /** Where the last confirmed state is. */
  readonly lastFile: string;
  /** Does what is due as the guard would (`guard.sh FOLDER once`). */
  readonly runOnce: () => Promise<void>;
  /** Starts a guard, for where none runs by itself; called when something is armed. */
  readonly start?: () => Promise<void>;
  readonly answerMilliseconds?: number;
  /** The process that applies; the guard ends it where it hangs on its way. */
  readonly writer?: () => number;
}

/** It answers within milliseconds; a node under load may take its time. */
const ANSWER_MILLISECONDS = 5_000;
const LOOK_MILLISECONDS = 10;
/** Changes with each boot. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
/** Made beforehand, so that a mark needs no room on the disk. */
const MARKERS = ["seen", "applied", "asked", "expired", "stopped", "rebooted", "damaged", "opened"];

export function guardFolder({
  path,
  lastFile,
  runOnce,
  start,
  answerMilliseconds = ANSWER_MILLISECONDS,
  writer = () => process.pid,
}: GuardFolderOptions): Guard {
  const at = (...names: string[]) => join(path, ...names);

  async function prepare(change: PendingChange, rollBack: RollBackFiles, timeoutSeconds: number): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await rm(at("arming"), { recursive: true, force: true });
    await mkdir(at("arming"), { mode: 0o700 });
    const { last, ...probed } = change;
    const files = new Map([
      ...rollBack,
      ["change.json", formatChecked(probed)],
      ["last.json", last],
      ["boot", await readFile(BOOT_ID, "utf8")],
      ["writer", `${writer()} ${await startTime(writer())}\n`],
      ["deadline", `${Math.ceil(await uptimeSeconds()) + timeoutSeconds}\n`],
    ]);
    const sums = [...files].map(
      ([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`,
    );
    // Rules are gone after a reboot, and what is in the page cache outlives any process; what is in /etc outlives it too.
    const durable = rollBack.has("files");
    for (const [name, content] of [...files, ["sums", sums.join("")] as const]) {
      await using file = await open(at("arming", name), "w", 0o600);
      await file.writeFile(content);
      if (durable) await file.sync();
    }
    for (const name of MARKERS) await writeFile(at("arming", `.${name}`), "");
    await rename(at("arming"), at("armed"));
    if (durable) await syncFolder(path);
  }

  /** The guard waits in the kernel, on a pipe; without a reader it is gone. */
  async function wake(): Promise<void> {
    try {
      await using pipe = await open(at("wake"), constants.O_WRONLY | constants.O_NONBLOCK);
      await pipe.write("\n");
    } catch (error) {
      throw new NotArmedError("GuardMissing", "no guard runs on this node, so nothing is applied", { cause: error });
    }
  }

  const isMarked = (name: string, folder = "armed") => exists(at(folder, name));
  const mark = (name: string) => renameIfThere(at("armed", `.${name}`), at("armed", name));

  async function within(milliseconds: number, holds: () => Promise<boolean>): Promise<boolean> {
    const until = performance.now() + milliseconds;
    while (!(await holds())) {
      if (performance.now() >= until) return false;
      await wait(LOOK_MILLISECONDS);
    }
    return true;
  }

  /** One that was killed on the way is finished by the next guard, or here. */
  async function settle(): Promise<void> {
    // In the order of the renames, or the moment between would look like the end.
    const done = async () => !(await isMarked("asked")) && !(await exists(at("rolling-back")));
    await wake().catch(() => undefined);
    if (await within(answerMilliseconds, done)) return;
    await runOnce();
    if (!(await done())) throw new Error(`a roll-back does not come to its end: see ${path}`);
  }

  async function adopt(): Promise<void> {
    // One that was cut is worth less than the one before it.
    if (await isWhole(at("confirmed", "last.json"))) await renameIfThere(at("confirmed", "last.json"), lastFile);
    await rm(at("confirmed"), { recursive: true, force: true });
  }

  return {
    async arm(change, rollBack, timeoutSeconds) {
      try {
        await prepare(change, rollBack, timeoutSeconds);
      } catch (error) {
        await rm(at("arming"), { recursive: true, force: true });
        const why = error instanceof Error ? error.message : String(error);
        const message = `what brings the node back cannot be saved, so nothing is applied: ${why}`;
        throw new NotArmedError("RollBackNotSaved", message, { cause: error });
      }
      try {
        if (start === undefined) await wake();
        else await start().then(() => wake().catch(() => undefined));
        if (await within(answerMilliseconds, () => isMarked("seen"))) return;
        throw new NotArmedError("GuardMissing", "the guard of this node does not answer, so nothing is applied");
      } catch (error) {
        await withdrawArmed(path);
        throw error;
      }
    },
    applied: () => mark("applied"),
    async confirm() {
      if (!(await renameIfThere(at("armed"), at("confirmed")))) return false;
      await adopt();
      return true;
    },
    withdraw: () => withdrawArmed(path),
    async rollBack() {
      await mark("asked");
      await settle();
    },
    async left() {
      await adopt();
      for (const folder of ["armed", "rolled-back"] as const) {
        if (folder === "rolled-back" && (await exists(at("rolling-back")))) await settle();
        if (!(await exists(at(folder)))) continue;
        const marks = new Set<string>();
        for (const name of MARKERS) if (await isMarked(name, folder)) marks.add(name);
        const change = await readChange(at(folder, "change.json"));
        return { armed: folder === "armed", marks, change, boot: await bootOf(at(folder, "boot")) };
      }
      return undefined;
    },
    forget: () => rm(at("rolled-back"), { recursive: true, force: true }),
  };
}

async function uptimeSeconds(): Promise<number> {
  return Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
}

/** In ticks since boot: with its id it names one process and no other (proc(5), field 22). */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[19] ?? "";
}

async function bootOf(path: string): Promise<LeftChange["boot"]> {
  const [then, now] = [await readFile(path, "utf8").catch(() => ""), await readFile(BOOT_ID, "utf8")];
  if (then === now) return "This";
  return then.length === now.length ? "Another" : "Unknown";
}

async function isWhole(path: string): Promise<boolean> {
  try {
    parseChecked(await readFile(path, "utf8"));
    return true;
  } catch {
    return false;
  }
}

async function readChange(path: string): Promise<ProbedChange | undefined> {
  try {
    return parseChecked(await readFile(path, "utf8")) as ProbedChange;
  } catch {
    // It is rolled back, and charged to nobody.
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
