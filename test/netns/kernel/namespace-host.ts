import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SysctlError } from "../../../src/kernel/errors.ts";
import type { Host } from "../../../src/kernel/host.ts";
import { localHost } from "../../../src/kernel/local-host.ts";

let made = 0;

export interface Namespace {
  readonly host: Host;
  /** For the state directory and sysctl.d. */
  readonly folder: string;
  /** Runs a program in the namespace and returns what it printed. */
  exec(command: string, ...args: string[]): string;
  close(): void;
}

/** A network namespace of its own as the node: tools and sysctls there, files in a temporary folder. */
export function openNamespace(): Namespace {
  const name = `phk-${process.pid.toString(36)}-${(made++).toString(36)}`;
  execFileSync("ip", ["netns", "add", name]);
  const folder = mkdtempSync(join(tmpdir(), "kernel-"));
  const exec = (command: string, ...args: string[]) =>
    execFileSync("nsenter", [`--net=/run/netns/${name}`, command, ...args], { encoding: "utf8" });
  exec("ip", "link", "set", "lo", "up");
  return {
    host: namespaceHost(name),
    folder,
    exec,
    close() {
      execFileSync("ip", ["netns", "del", name]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The machine in an existing network namespace: tools and sysctls there, files where this process is. */
export function namespaceHost(name: string): Host {
  const local = localHost();
  const enter = (command: string, args: readonly string[]) => [`--net=/run/netns/${name}`, command, ...args];
  const path = (key: string) => `/proc/sys/${key.replaceAll(".", "/")}`;
  return {
    ...local,
    run: (command, args, options) => local.run("nsenter", enter(command, args), options),
    readLines: (command, args, options, onLine) => local.readLines("nsenter", enter(command, args), options, onLine),
    spawnLines: (command, args, signal) => local.spawnLines("nsenter", enter(command, args), signal),
    async countLines(file) {
      const command = `test -e "$0" && wc -l <"$0"`;
      try {
        const { stdout } = await local.run("nsenter", enter("sh", ["-c", command, file]), {
          timeoutMilliseconds: 30_000,
        });
        return Number(stdout);
      } catch {
        // `test` says so by its exit code alone.
        return undefined;
      }
    },
    async eachLine(file, take) {
      if (!file.startsWith("/proc/")) return local.eachLine(file, take);
      const { stdout } = await local.run("nsenter", enter("cat", [file]), { timeoutMilliseconds: 30_000 });
      stdout.split("\n").every(take);
    },
    async readSysctl(key) {
      try {
        const { stdout } = await local.run("nsenter", enter("cat", [path(key)]), { timeoutMilliseconds: 30_000 });
        return stdout.trimEnd();
      } catch (error) {
        if (error instanceof Error && error.message.includes("No such file")) return undefined;
        throw error;
      }
    },
    async writeSysctl(key, value) {
      try {
        const options = { input: `${value}\n`, timeoutMilliseconds: 30_000 };
        await local.run("nsenter", enter("tee", [path(key)]), options);
      } catch (error) {
        throw new SysctlError(key, value, error instanceof Error ? error.message : String(error), { cause: error });
      }
    },
  };
}
