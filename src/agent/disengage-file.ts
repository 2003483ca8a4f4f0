import { mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "../api/printable.ts";

/** A person on the node has switched us off. */
export interface Disengagement {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What they said; may be empty. */
  readonly why: string;
}

/**
 * The switch by which a person on a node takes it out of our hands, whatever the API server says: a file in the folder of
 * the agent's state, as it must work with nothing but a shell, and hold over restarts and reboots.
 */
export interface DisengageFile {
  /** undefined: engaged. Throws where that cannot be seen. */
  read(): Promise<Disengagement | undefined>;
  /** Whether it is on the disk when this resolves; an earlier one keeps its time where nothing else is said. */
  disengage(why: string): Promise<void>;
  /** False: it was engaged. */
  engage(): Promise<boolean>;
}

const FILE = "disengaged";
const WHY_MAX = 200;

export function disengageFile(folder: string): DisengageFile {
  const path = join(folder, FILE);
  async function read(): Promise<Disengagement | undefined> {
    try {
      const { mtimeMs } = await stat(path);
      const text = await readFile(path, "utf8");
      return { since: mtimeMs, why: printable(text.slice(0, WHY_MAX).trim()) };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
  return {
    read,
    async disengage(why) {
      if (why === "" && (await read()) !== undefined) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Written in place: an empty file counts too, so one that is cut is none the less there.
      await using file = await open(path, "w", 0o600);
      await file.writeFile(why === "" ? "" : `${why}\n`);
      await file.sync();
      await using directory = await open(folder, "r");
      await directory.sync();
    },
    async engage() {
      const was = (await read()) !== undefined;
      await rm(path, { force: true });
      return was;
    },
  };
}
