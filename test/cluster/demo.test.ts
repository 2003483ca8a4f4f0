import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { controlPlanePrograms } from "../lab/control-plane-programs.ts";

const project = resolve(import.meta.dirname, "../..");

interface Demo {
  readonly process: ChildProcess;
  /** All that it has printed. */
  printed(): string;
  /** Resolves when a line matches; rejects when the demo ends before. */
  line(pattern: RegExp): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** A folder of its own takes the demo's temporary files, so that what it leaves is told from everybody else's. */
async function startDemo(temporary: string, ...args: string[]): Promise<Demo> {
  const child = spawn(process.execPath, [join(project, "demo/main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
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
  };
}

/** What a run of this temporary folder left: files, namespaces named after them, processes that name it or inherited it. */
async function leftovers(temporary: string, runs: readonly string[]): Promise<string[]> {
  const { stdout } = await execa("ip", ["netns", "list"]);
  const namespaces = stdout.split("\n").filter((line) => runs.some((run) => line.startsWith(run)));
  const processes = readdirSync("/proc").filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      (processFile(pid, "cmdline").includes(temporary) || processFile(pid, "environ").includes(temporary)),
  );
  return [
    ...readdirSync(temporary),
    ...namespaces,
    ...processes.map((pid) => `${pid}: ${processFile(pid, "cmdline")}`),
  ];
}

function processFile(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It ended between the listing and the look.
  }
}

async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the demo", () => {
  it("shows the main job, finds everything as expected, and leaves nothing behind", async () => {
    await inTemporaryFolder(async (folder) => {
      const demo = await startDemo(folder);
      await demo.line(/making 3 nodes/);
      const runs = readdirSync(folder);
      expect(runs).not.toEqual([]);
      expect(await demo.ended, demo.printed()).toBe(0);
      expect(demo.printed()).not.toMatch(/^ +FAIL /m);
      expect(demo.printed().match(/^ +ok /gm)?.length).toBeGreaterThanOrEqual(23);
      expect(demo.printed()).toMatch(/happened: protocols\.plaintext-http after \d+\.\d s/);
      expect(await leftovers(folder, runs)).toEqual([]);
    });
  }, 120_000);

  it("stays up for one's own kubectl with --keep, until it is interrupted", async () => {
    await inTemporaryFolder(async (folder) => {
      const demo = await startDemo(folder, "--keep");
      await demo.line(/export KUBECONFIG=/);
      const runs = readdirSync(folder);
      const [, kubeconfig = ""] = /export KUBECONFIG=(\S+)/.exec(demo.printed()) ?? [];
      const [kubectl, ...first] = controlPlanePrograms().kubectl;
      // From the machine's own network, as a person would.
      const { stdout } = await execa(kubectl, [...first, "--kubeconfig", kubeconfig, "get", "phpol"]);
      expect(stdout).toMatch(/workers +Enforce +3 +3 +0 +0 +Ready/);
      demo.process.kill("SIGINT");
      expect(await demo.ended).toBe(0);
      expect(await leftovers(folder, runs)).toEqual([]);
    });
  }, 120_000);

  it.each([
    /starting etcd/,
    /making 3 nodes/,
    /starting the controller/,
    /kubectl apply -f policy/,
    /web-server\.ts 8080/,
  ])(
    "leaves nothing behind when it is interrupted at %s",
    async (moment) => {
      await inTemporaryFolder(async (folder) => {
        const demo = await startDemo(folder);
        await demo.line(moment);
        const runs = readdirSync(folder);
        demo.process.kill("SIGINT");
        expect(await demo.ended).not.toBe(0);
        expect(await leftovers(folder, runs)).toEqual([]);
      });
    },
    120_000,
  );
});
