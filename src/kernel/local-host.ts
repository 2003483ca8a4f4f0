import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { execa } from "execa";
import { SysctlError, ToolError } from "./errors.ts";
import type { Host } from "./host.ts";
import { classifyFailure, toolMissing } from "./tool-failure.ts";

export const SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/** @returns the machine that this process runs on, in its network namespace. Tools get `path` and LC_ALL=C, nothing else. */
export function localHost({ path = SYSTEM_PATH }: { readonly path?: string } = {}): Host {
  const environment = { extendEnv: false, env: { PATH: path, LC_ALL: "C" }, reject: false } as const;
  return {
    async run(command, args, { input, timeoutMilliseconds, onSpawn }) {
      const source = input === undefined ? ({ stdin: "ignore" } as const) : { input };
      const child = execa(command, args, {
        ...environment,
        ...source,
        timeout: timeoutMilliseconds,
        killSignal: "SIGKILL",
      });
      if (child.pid !== undefined) onSpawn?.(child.pid);
      const result = await child;
      if (!result.failed) return { stdout: result.stdout };
      if (isMissing(result.cause)) throw toolMissing(command, result.cause);
      if (result.timedOut) throw new ToolError(command, `no answer within ${timeoutMilliseconds} ms`);
      throw classifyFailure(command, result.stderr, input, result.cause);
    },
    async readLines(command, args, { timeoutMilliseconds, onSpawn }, onLine) {
      const child = execa(command, args, {
        ...environment,
        stdin: "ignore",
        buffer: { stdout: false, stderr: true },
        timeout: timeoutMilliseconds,
        killSignal: "SIGKILL",
      });
      if (child.pid !== undefined) onSpawn?.(child.pid);
      const lines = lineSplitter(onLine);
      const chunks: AsyncIterable<string> = child.stdout.setEncoding("utf8");
      for await (const chunk of chunks) lines.push(chunk);
      lines.end();
      const result = await child;
      if (!result.failed) return;
      if (isMissing(result.cause)) throw toolMissing(command, result.cause);
      if (result.timedOut) throw new ToolError(command, `no answer within ${timeoutMilliseconds} ms`);
      throw classifyFailure(command, result.stderr, undefined, result.cause);
    },
    spawnLines(command, args, signal) {
      const child = execa(command, args, {
        ...environment,
        stdin: "ignore",
        buffer: { stdout: false, stderr: true },
        cancelSignal: signal,
      });
      return { pid: child.pid, lines: linesOf(command, child, signal) };
    },
    readSysctl: async (key) => (await readIfThere(sysctlPath(key)))?.trimEnd(),
    async writeSysctl(key, value) {
      try {
        // With its line end: writing nothing at all would not empty ip_local_reserved_ports.
        await writeFile(sysctlPath(key), `${value}\n`, { flag: "r+" });
      } catch (error) {
        throw new SysctlError(key, value, error instanceof Error ? error.message : String(error), { cause: error });
      }
    },
    readFile: readIfThere,
    countLines,
    eachLine,
    async listFolder(path) {
      try {
        return await readdir(path);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    writeFileAtomic,
    async remove(path) {
      await rm(unfinished(path), { force: true });
      await rm(path, { force: true });
    },
  };
}

function lineSplitter(onLine: (line: string) => void): { push(chunk: string): void; end(): void } {
  let rest = "";
  return {
    push(chunk) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    },
    end() {
      if (rest !== "") onLine(rest);
    },
  };
}

async function* linesOf(
  command: string,
  child: AsyncIterable<string> & PromiseLike<{ readonly cause?: unknown; readonly stderr: string }>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    yield* child;
  } catch (error) {
    if (!isMissing(error) && !signal.aborted) throw error;
  }
  const { cause, stderr } = await child;
  if (signal.aborted) return;
  if (isMissing(cause)) throw toolMissing(command, cause);
  throw new ToolError(command, stderr.trim() || "ended by itself");
}

export function sysctlPath(key: string): string {
  return `/proc/sys/${key.replaceAll(".", "/")}`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Through one buffer: /proc tells no size, and a stream would leave its chunks to the garbage collector. */
async function countLines(path: string): Promise<number | undefined> {
  const buffer = Buffer.alloc(16_384);
  let lines = 0;
  try {
    await using file = await open(path, "r");
    let bytesRead: number;
    do {
      ({ bytesRead } = await file.read(buffer, 0, buffer.length));
      const part = buffer.subarray(0, bytesRead);
      for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) lines += 1;
    } while (bytesRead > 0);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return lines;
}

async function eachLine(path: string, take: (line: string) => boolean): Promise<void> {
  const buffer = Buffer.alloc(16_384);
  let rest = "";
  try {
    await using file = await open(path, "r");
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      const lines = (rest + buffer.toString("latin1", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      if (!lines.every(take)) return;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (rest !== "") take(rest);
}

/** One fixed name, so that an interrupted write leaves at most one file, which the next write takes over. */
function unfinished(path: string): string {
  return `${path}.unfinished`;
}

async function writeFileAtomic(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(unfinished(path), "w", 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished(path), path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
