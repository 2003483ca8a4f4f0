import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Counts, parseClosingLine } from "./closing-line.ts";

/** A command whose last line is `N passed, N failed, N skipped`. */
export interface Tier {
  readonly name: string;
  readonly command: readonly [file: string, ...args: string[]];
}

/**
 * Runs all tiers one after the other, a failed one too, and adds up their last lines. A tier that fails without saying so, or
 * has no such line, counts as one failure; so do those that were not begun when `signal` fires. `write` gets each line.
 */
export async function runTiers(
  tiers: readonly Tier[],
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<Counts> {
  const sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  const notes: string[] = [];
  for (const { name, command } of tiers) {
    const started = performance.now();
    const { ending, lastLine } = await run(command, write, signal);
    const counts = parseClosingLine(lastLine);
    const wrong = ending !== "0" && !counts?.failed;
    sum.passed += counts?.passed ?? 0;
    sum.failed += (counts?.failed ?? 0) + (counts === undefined || wrong ? 1 : 0);
    sum.skipped += counts?.skipped ?? 0;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    notes.push(`${name}: ${counts === undefined ? "no closing line" : lastLine}, exit code ${ending}, ${seconds} s`);
  }
  for (const note of notes) write(note);
  return sum;
}

async function run([file, ...args]: Tier["command"], write: (line: string) => void, signal: AbortSignal) {
  if (signal.aborted) return { ending: "none: not begun", lastLine: "" };
  // A process group of its own, as npm and the shell beneath it do not pass signals on.
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const exited = once(child, "close").then(([code, by]) => `${code ?? by}`);
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGTERM");
    }
  };
  signal.addEventListener("abort", kill);
  let lastLine = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    write(line);
    if (line !== "") lastLine = line;
  });
  try {
    return { ending: await exited, lastLine };
  } catch (error) {
    return { ending: `none: ${error instanceof Error ? error.message : String(error)}`, lastLine: "" };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
