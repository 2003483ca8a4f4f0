import type { Host } from "./host.ts";

/** A file system that was read-only may be writable after an upgrade of the system. */
const RETRY_MILLISECONDS = 600_000;
const NOT_WRITABLE = new Set(["EROFS", "EACCES", "EPERM"]);

/** What a file is and what it shall be; undefined: there is none. */
export interface FileChange {
  readonly now: string | undefined;
  readonly goal: string | undefined;
}

/** Our sysctl.d file, on hosts too whose /etc cannot be written: settings then hold until the next boot. */
export interface Persistence {
  write(change: FileChange): Promise<void>;
  /** The change, or none where it was found that the file cannot be written. */
  feasible(change: FileChange): FileChange;
  /** The file is as it shall be. */
  settled(): void;
  /** Why the file could not be written. */
  readonly obstacle: string | undefined;
}

export function persistence(host: Host, path: string, now: () => number): Persistence {
  let obstacle: { readonly message: string; readonly at: number } | undefined;
  return {
    async write(change) {
      if (change.now === change.goal) return;
      try {
        if (change.goal === undefined) await host.remove(path);
        else await host.writeFileAtomic(path, change.goal);
        obstacle = undefined;
      } catch (error) {
        if (!(error instanceof Error) || !("code" in error) || !NOT_WRITABLE.has(String(error.code))) throw error;
        obstacle = { message: error.message, at: now() };
      }
    },
    feasible(change) {
      const refused = obstacle !== undefined && now() - obstacle.at < RETRY_MILLISECONDS;
      return refused ? { now: change.now, goal: change.now } : change;
    },
    settled() {
      obstacle = undefined;
    },
    get obstacle() {
      return obstacle?.message;
    },
  };
}
