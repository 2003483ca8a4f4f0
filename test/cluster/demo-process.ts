import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { cgroupNames } from "../lab/cgroups.ts";

const project = resolve(import.meta.dirname, "../..");

/** A run of demo/main.ts, with a folder of its own for temporary files, so that what it leaves is told from everybody else's. */
export interface Demo {
  readonly process: ChildProcess;
  /** All that it has printed. */
  printed(): string;
  /** Resolves when a line matches; rejects when the demo ends before. */
  line(pattern: RegExp): Promise<void>;
  readonly ended: Promise<number | null>;
  /** The labs that there are, by name. */
  runs(): readonly string[];
  /** Processes that name its folder or inherited it: number and command line of each. */
  processes(): readonly string[];
  /** What these labs left: files, namespaces and cgroups named after them, processes. */
  leftovers(runs: readonly string[]): Promise<readonly string[]>;
}

/** Ends the demo, and removes its folder, when `use` is through, however that ends. */
export async function withDemo(
  { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv },
  use: (demo: Demo) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
  const demo = startDemo(folder, args, env);
  try {
    await use(demo);
  } finally {
    demo.process.kill("SIGINT");
    await demo.ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function startDemo(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): Demo {
  const child = spawn(process.execPath, [join(project, "demo/main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, TMPDIR: folder },
  });
  let printed = "";
  const waiting: { pattern: RegExp; resolve: () => void; reject: (error: Error) => void }[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      printed += `${line}\n`;
      for (const { pattern, resolve: found } of waiting) if (pattern.test(line)) found();
    });
  }
  const ended = once(child, "exit").then(([code]): number | null => code);
  void ended.then(() => {
    for (const { pattern, reject } of waiting)
      reject(new Error(`the demo ended before it printed ${pattern}\n${printed}`));
  });
  return {
    process: child,
    printed: () => printed,
    line: (pattern) => new Promise((found, reject) => waiting.push({ pattern, resolve: found, reject })),
    ended,
    runs: () => readdirSync(folder),
    processes: () => processesOf(folder),
    async leftovers(runs) {
      const { stdout } = await execa("ip", ["netns", "list"]);
      const ofRuns = (names: readonly string[]) => names.filter((name) => runs.some((run) => name.startsWith(run)));
      return [...readdirSync(folder), ...ofRuns(stdout.split("\n")), ...ofRuns(cgroupNames()), ...processesOf(folder)];
    },
  };
}

function processesOf(temporary: string): string[] {
  const found = readdirSync("/proc").filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      (processFile(pid, "cmdline").includes(temporary) || processFile(pid, "environ").includes(temporary)),
  );
  return found.map((pid) => `${pid}: ${processFile(pid, "cmdline")}`);
}

function processFile(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It ended between the listing and the look.
  }
}
