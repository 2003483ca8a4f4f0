import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { waitFor } from "./wait-for.ts";

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** `log` (default) sends stdout and stderr to `logFile`; `pipe` keeps stdin and stdout for the caller, stderr in the log. */
  readonly stdio?: "log" | "pipe";
}

/** A process that a lab runs inside one of its namespaces. It dies with the process that started it, however that ends. */
export interface LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly running: boolean;
  /** Resolves when it has ended, whatever the reason. */
  readonly exited: Promise<ExitStatus>;
  /** All it wrote so far to stdout and stderr (with `pipe`: stderr only). */
  log(): string;
  /** Waits until its log matches; throws with the log's tail when it ends before or time runs out. */
  waitForLog(pattern: RegExp, timeoutMilliseconds: number): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it still runs after `graceMilliseconds` (default 5,000). */
  stop(graceMilliseconds?: number): Promise<ExitStatus>;
  kill(): Promise<ExitStatus>;
}

/** Starts `command` with its output in `logFile`. Throws when the program does not exist. */
export async function startLabProcess(
  command: readonly [string, ...string[]],
  options: SpawnOptions & { readonly name: string; readonly logFile: string },
): Promise<LabProcess> {
  const log = openSync(options.logFile, "a");
  const stdio: StdioOptions = options.stdio === "pipe" ? ["pipe", "pipe", log] : ["ignore", log, log];
  // A killed run must not leave its processes behind: the kernel passes the parent's death on (PR_SET_PDEATHSIG).
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
    stdio,
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const exited = once(child, "exit").then(([code, signal]): ExitStatus => ({ code, signal }));
  exited.catch(() => undefined); // A failed spawn is thrown below.
  await once(child, "spawn");
  return processHandle(child, exited, options);
}

function processHandle(
  child: ChildProcess,
  exited: Promise<ExitStatus>,
  { name, logFile }: { readonly name: string; readonly logFile: string },
): LabProcess {
  const running = () => child.exitCode === null && child.signalCode === null;
  const log = () => readFileSync(logFile, "utf8");
  const kill = () => {
    child.kill("SIGKILL");
    return exited;
  };
  return {
    name,
    pid: child.pid ?? 0,
    child,
    logFile,
    get running() {
      return running();
    },
    exited,
    log,
    async waitForLog(pattern, timeoutMilliseconds) {
      return waitFor(`${pattern} in the log of ${name}`, () => pattern.exec(log()) ?? undefined, {
        timeoutMilliseconds,
        intervalMilliseconds: 20,
        lastSeen: () => tail(log()),
        giveUp: () => (running() || pattern.test(log()) ? undefined : new Error(`${name} ended: ${tail(log())}`)),
      });
    },
    signal(signal) {
      child.kill(signal);
    },
    async stop(graceMilliseconds = 5_000) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMilliseconds);
      return exited.finally(() => clearTimeout(timer));
    },
    kill,
  };
}

/** The last lines of a log, for error messages. */
export function tail(log: string, lines = 15): string {
  return log.trimEnd().split("\n").slice(-lines).join("\n");
}
