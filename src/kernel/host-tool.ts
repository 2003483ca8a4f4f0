import { access, constants } from "node:fs/promises";
import { execa } from "execa";
import { ToolError } from "./errors.ts";
import { SYSTEM_PATH } from "./local-host.ts";
import { pathInRoot } from "./path-in-root.ts";
import { toolMissing } from "./tool-failure.ts";

/** Far above what any of the tools asked prints. */
const OUTPUT_MAXIMUM_BYTES = 16 * 1024 * 1024;

const environment = {
  PATH: SYSTEM_PATH,
  LC_ALL: "C",
  // Else systemctl does nothing where it takes its root for another than that of process 1 (systemd's docs/ENVIRONMENT.md).
  SYSTEMD_OFFLINE: "0",
};

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a tool of the host whose root is seen at `root` (`/`, or a folder without a slash at its end: there by chroot(1)),
 * without a shell. Resolves whatever the exit code is; undefined where the host has no such tool. Throws ToolError after
 * `timeoutMilliseconds`.
 */
export async function runHostTool(
  root: string,
  tool: string,
  args: readonly string[],
  timeoutMilliseconds: number,
): Promise<ToolResult | undefined> {
  const path = await findTool(root, tool);
  if (path === undefined) return undefined;
  return runAlone(tool, root === "/" ? [path, ...args] : ["chroot", root, path, ...args], timeoutMilliseconds);
}

/** In a process group of its own: children that outlive a killed tool hold its output open, so all are ended. */
async function runAlone(
  tool: string,
  [file = tool, ...args]: readonly string[],
  timeoutMilliseconds: number,
): Promise<ToolResult> {
  const child = execa(file, args, {
    extendEnv: false,
    env: environment,
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

/** Nothing of that name, no link; ESRCH: a process that ended while it was looked at. */
export function isNothing(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(?:ENOENT|ENOTDIR|ESRCH)$/.test(String(error.code));
}
