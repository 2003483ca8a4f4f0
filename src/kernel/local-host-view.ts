import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import type { HostView } from "../audit/host-view.ts";
import { isNothing, runHostTool } from "./host-tool.ts";
import { pathInRoot } from "./path-in-root.ts";

/**
 * The machine that this process runs on. `root` is where the host's root is seen from here, without a slash at its end:
 * `/` on the host itself, `/host` or `/proc/1/root` in a container; there tools run by chroot(1).
 */
export function localHostView({ root = "/" }: { readonly root?: string } = {}): HostView {
  return {
    async readFile(path) {
      const real = await pathInRoot(root, path);
      // /proc waits for no disk; a synchronous call costs a tenth of one through the thread pool, and there are thousands.
      return isProc(path) ? orUndefined(() => readFileSync(real, "utf8")) : orUndefined(() => readFile(real, "utf8"));
    },
    async readFolder(path) {
      const real = await pathInRoot(root, path);
      return isProc(path) ? orUndefined(() => readdirSync(real)) : orUndefined(() => readdir(real));
    },
    async readLink(path) {
      const real = await pathInRoot(root, path, { keepLast: true });
      return isProc(path)
        ? orUndefined(() => readlinkSync(real), isNoLink)
        : orUndefined(() => readlink(real), isNoLink);
    },
    async modifiedAt(path) {
      const real = await pathInRoot(root, path);
      return orUndefined(async () => (await stat(real)).mtimeMs);
    },
    async ownership(path) {
      const real = await pathInRoot(root, path);
      return orUndefined(async () => {
        const { uid, mode } = await stat(real);
        return { uid, writableByOthers: (mode & 0o022) !== 0 };
      });
    },
    run: (tool, args, { timeoutMilliseconds }) => runHostTool(root, tool, args, timeoutMilliseconds),
  };
}

function isProc(path: string): boolean {
  return path.startsWith("/proc/");
}

async function orUndefined<T>(
  read: () => T | Promise<T>,
  isAbsence: (error: unknown) => boolean = isNothing,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** EINVAL: what is there is no symbolic link (readlink(2)). */
function isNoLink(error: unknown): boolean {
  return isNothing(error) || (error instanceof Error && "code" in error && error.code === "EINVAL");
}
