import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { access, constants, readdir, readFile, readlink, stat } from "node:fs/promises";
import { execa } from "execa";
import type { HostView } from "../audit/host-view.ts";
import { ToolError } from "./errors.ts";
import { SYSTEM_PATH } from "./local-host.ts";
import { pathInRoot } from "./path-in-root.ts";
import { toolMissing } from "./tool-failure.ts";

/** Far above what any of the tools asked prints. */
const OUTPUT_MAXIMUM_BYTES = 16 * 1024 * 1024;

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
      return isProc(path) ? orUndefined(() => readlinkSync(real)) : orUndefined(() => readlink(real));
    },
    async modifiedAt(path) {
      const real = await pathInRoot(root, path);
      return orUndefined(async () => (await stat(real)).mtimeMs);
    },
    async run(tool, args, { timeoutMilliseconds }) {
      const path = await findTool(root, tool);
      if (path === undefined) return undefined;
      return runAlone(tool, root === "/" ? [path, ...args] : ["chroot", root, path, ...args], timeoutMilliseconds);
    },
  };
}

/** In a process group of its own: children that outlive a killed tool hold its output open, so all are ended. */
async function runAlone(tool: string, [file = tool, ...args]: readonly string[], timeoutMilliseconds: number) {
  const child = execa(file, args, {
    extendEnv: false,
    env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
    cwd: "/",
    stdin: "ignore",
    reject: false,
    stripFinalNewline: false,
    maxBuffer: OUTPUT_MAXIMUM_BYTES,
    detached: true,
  });
  const { pid } = child;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  }, timeoutMilliseconds);
  const { exitCode, stdout, stderr, isMaxBuffer, cause } = await child.finally(() => clearTimeout(timer));
  if (timedOut) throw new ToolError(tool, `no answer within ${timeoutMilliseconds} ms`);
  if (isMaxBuffer) throw new ToolError(tool, `printed more than ${OUTPUT_MAXIMUM_BYTES} bytes`);
  if (exitCode !== undefined) return { exitCode, stdout, stderr };
  if (isNothing(cause)) throw toolMissing(file, cause);
  throw new ToolError(tool, "ended by a signal", { cause });
}

/** Where the host keeps a tool, as the host sees it. */
async function findTool(root: string, tool: string): Promise<string | undefined> {
  for (const folder of SYSTEM_PATH.split(":")) {
    const path = `${folder}/${tool}`;
    try {
      await access(await pathInRoot(root, path), constants.X_OK);
      return path;
    } catch {
      // Not here, or not to be run: the next folder may have it, as with execvp(3).
    }
  }
  return undefined;
}

function isProc(path: string): boolean {
  return path.startsWith("/proc/");
}

async function orUndefined<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** Nothing of that name, no link; ESRCH: a process that ended while it was looked at. */
function isNothing(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(?:ENOENT|ENOTDIR|ESRCH)$/.test(String(error.code));
}
