import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { ToolError } from "./errors.ts";
import type { Host } from "./host.ts";
import { runHostTool } from "./host-tool.ts";
import { pathInRoot } from "./path-in-root.ts";
import { toolMissing } from "./tool-failure.ts";

/** What is changed on a host beside its kernel: files of ours, and which timers of its systemd run. */
export interface HostChanger {
  /** On disk under its name when this resolves, or not at all. Makes the folder. */
  writeFile(path: string, content: string): Promise<void>;
  /** Idempotent. A folder of drop-ins that is empty then goes too. */
  removeFile(path: string): Promise<void>;
  /** Throws ToolMissingError, or ToolError with systemd's words. */
  systemctl(args: readonly string[]): Promise<void>;
}

const SYSTEMCTL_MILLISECONDS = 30_000;

/** @param root where the host's root is seen from here: `/`, or a folder without a slash at its end. */
export function hostChanger({
  root,
  host,
}: {
  readonly root: string;
  readonly host: Pick<Host, "writeFileAtomic" | "remove">;
}): HostChanger {
  return {
    writeFile: async (path, content) => host.writeFileAtomic(await pathInRoot(root, path, { keepLast: true }), content),
    async removeFile(path) {
      const real = await pathInRoot(root, path, { keepLast: true });
      await host.remove(real);
      if (/^\/etc\/systemd\/system\/[^/]+\.d\/[^/]+$/.test(path)) await removeIfEmpty(dirname(real));
    },
    async systemctl(args) {
      const result = await runHostTool(root, "systemctl", args, SYSTEMCTL_MILLISECONDS);
      if (result === undefined) throw toolMissing("systemctl");
      if (result.exitCode !== 0)
        throw new ToolError("systemctl", result.stderr.trim() || `exit code ${result.exitCode}`);
    },
  };
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // Somebody else has drop-ins there, or there was no folder.
    if (!(error instanceof Error && "code" in error && /^(?:ENOTEMPTY|EEXIST|ENOENT)$/.test(String(error.code))))
      throw error;
  }
}
