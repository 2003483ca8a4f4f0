import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { formatChecked } from "../../../src/agent/checked-file.ts";
import { type Guard, guardFolder } from "../../../src/agent/guard-folder.ts";
import type { PendingChange } from "../../../src/agent/pending-change.ts";
import type { Host } from "../../../src/kernel/host.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { openNamespace } from "../kernel/namespace-host.ts";
import { dump, type Subject } from "../kernel/subject.ts";

const script = resolve(import.meta.dirname, "../../../src/guard/guard.sh");
export const SHELLS: readonly (readonly string[])[] = [["dash"], ["busybox", "sh"]];

export const change: PendingChange = {
  policies: [],
  groups: [],
  rules: "",
  retries: [],
  probes: [],
  last: formatChecked("confirmed"),
};

export interface RunningGuard {
  readonly process: ChildProcess;
  readonly pid: number;
  log(): string;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** A node in a network namespace, with an agent's side of the guard; guards are processes of their own. */
export interface GuardedNode extends Subject {
  readonly guard: Guard;
  readonly folder: string;
  /** A process that stands for the agent; another one where it was ended. */
  agent(): ChildProcess;
  path(...names: string[]): string;
  /** Starts the guard's script, and waits until it watches, unless it is to end by itself. */
  startGuard(shell?: readonly string[], mode?: "settled" | "once"): Promise<RunningGuard>;
  /** Applies with what brings the node back armed before. `through` may break the node on the way. */
  applyGuarded(desired: RuleSet, timeoutSeconds: number, through?: Host): Promise<void>;
  dump(): ReturnType<typeof dump>;
  exec(command: string, ...args: string[]): string;
}

export function guardedNode(): GuardedNode {
  const namespace = openNamespace();
  const { host, folder, exec } = namespace;
  const [stateDir, sysctlDir] = [join(folder, "state"), join(folder, "sysctl.d")];
  const path = (...names: string[]) => join(stateDir, "guard", ...names);
  const running: RunningGuard[] = [];
  /** Stands for the agent, which the guard ends where it did not come to the end of its change. */
  let agent: ChildProcess | undefined;
  const aliveAgent = () => {
    if (agent === undefined || agent.signalCode !== null) agent = spawn("sleep", ["3600"], { stdio: "ignore" });
    return agent;
  };
  const guard = guardFolder({
    writer: () => aliveAgent().pid ?? 0,
    path: path(),
    lastFile: join(stateDir, "last.json"),
    runOnce: async () => void (await node.startGuard(SHELLS[0], "once").then(({ ended }) => ended)),
    answerMilliseconds: 20_000,
  });
  const node: GuardedNode = {
    host,
    stateFile: join(stateDir, "originals.json"),
    sysctlFile: join(sysctlDir, "99-port-hardening.conf"),
    guard,
    folder,
    path,
    start: (through = host) => linuxKernel({ host: through, stateDir, sysctlDir }),
    send: () => Promise.reject(new Error("nothing is sent here")),
    async startGuard(shell = ["dash"], mode) {
      const name = exec("ip", "netns", "identify").trim();
      const args = [`--net=/run/netns/${name}`, ...shell, script, path(), ...(mode === undefined ? [] : [mode])];
      const child = spawn("nsenter", args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
      let log = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
      const ended = once(child, "exit").then(([code, signal]) => code ?? signal);
      const one = { process: child, pid: child.pid ?? 0, log: () => log, ended };
      running.push(one);
      if (mode === undefined) {
        await waitFor("the guard to watch", () => (log.includes("watching") ? true : undefined), {
          timeoutMilliseconds: 20_000,
          lastSeen: () => log,
        });
      }
      return one;
    },
    async applyGuarded(desired, timeoutSeconds, through = host) {
      const kernel = node.start(through);
      await kernel.apply(desired, ({ rollBack }) => guard.arm(change, rollBack, timeoutSeconds));
    },
    dump: () => dump(node),
    exec,
    agent: aliveAgent,
    close() {
      agent?.kill("SIGKILL");
      for (const { process } of running)
        if (process.exitCode === null && process.signalCode === null) process.kill("SIGKILL");
      namespace.close();
    },
  };
  return node;
}

/** Until the guard has put the node back; the marks that it left. */
export async function rolledBack(node: GuardedNode, timeoutMilliseconds = 30_000): Promise<ReadonlySet<string>> {
  await waitFor("the roll-back", () => (existsSync(node.path("rolled-back")) ? true : undefined), {
    timeoutMilliseconds,
    intervalMilliseconds: 20,
  });
  return (await node.guard.left())?.marks ?? new Set();
}

/** Resident memory of a process in KiB. */
export function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

export function uptimeSeconds(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}
