import { basename, dirname } from "node:path";
import type { Family } from "../plan/node-plan.ts";
import { SysctlError } from "./errors.ts";
import type { Host } from "./host.ts";
import { type MemoryMonitor, memoryMonitor } from "./memory-monitor.ts";
import { type MemoryNetwork, memoryNetwork } from "./memory-network.ts";
import { memoryNft } from "./memory-nft.ts";
import { type MemoryRules, memoryRules, RefusedLine } from "./memory-rules.ts";
import { type MemorySets, memorySets } from "./memory-sets.ts";
import { classifyFailure } from "./tool-failure.ts";

/** One thing that is about to be done to the node. */
export type Step =
  | { readonly kind: "Run"; readonly command: string; readonly input: string | undefined }
  | { readonly kind: "Spawn"; readonly command: string }
  | { readonly kind: "WriteSysctl"; readonly key: string; readonly value: string }
  | { readonly kind: "WriteFile" | "RemoveFile"; readonly path: string };

export interface MemoryHost extends Host {
  readonly rules: Readonly<Record<Family, MemoryRules>>;
  readonly sets: MemorySets;
  readonly monitor: MemoryMonitor;
  readonly sysctls: Map<string, string>;
  readonly files: Map<string, string>;
  /** What conntrack lists, by family, and the node's addresses, listeners and routes, as the tools print them. */
  readonly network: MemoryNetwork;
  /** Asked before each step: what it returns is thrown instead of doing it. */
  failWhen(failure: (step: Step) => Error | undefined): void;
  /** What another process does by `iptables-nft-restore --noflush` or its like. */
  tamper(family: Family, restore: string, by?: { readonly pid: number; readonly command: string }): void;
}

const SYSCTLS: readonly (readonly [string, string])[] = [
  ["kernel.osrelease", "6.18.0"],
  ["net.ipv4.ip_local_port_range", "32768\t60999"],
  ["net.ipv4.ip_local_reserved_ports", ""],
  ["net.ipv4.tcp_max_syn_backlog", "512"],
  ["net.ipv4.tcp_syncookies", "1"],
];

/** A node in memory that answers the very commands that the real one gets, with the same state, order and refusals. */
export function memoryHost(): MemoryHost {
  const rules = { 4: memoryRules(), 6: memoryRules() };
  const sets = memorySets((name) => Number(rules[4].matches(` ${name} `)) + Number(rules[6].matches(` ${name} `)));
  const monitor = memoryMonitor();
  const nft = memoryNft();
  const network = memoryNetwork();
  const sysctls = new Map(SYSCTLS);
  const files = new Map<string, string>();
  let failure: (step: Step) => Error | undefined = () => undefined;
  let lastPid = 1000;

  const step = (next: Step) => {
    const error = failure(next);
    if (error !== undefined) throw error;
  };

  function answer(command: string, args: readonly string[], input: string, pid: number): string {
    const family = command.startsWith("ip6") ? 6 : 4;
    if (command === "ip" || command === "ss") return network.answer(command, args);
    if (command === "nft") return nft.answer(args, input, (change) => monitor.committedNft(change, pid));
    if (args.includes("--version")) return `${command} v1.8.9 (nf_tables)`;
    if (command.endsWith("-save"))
      return rules[family].save(args.includes("-c"), args[args.indexOf("-t") + 1 || args.length]);
    if (command.endsWith("-restore")) {
      const touched = rules[family].restore(input, sets.has);
      monitor.committed(family === 4 ? "ip" : "ip6", touched, pid, command);
      return "";
    }
    return args[0] === "restore" ? sets.restore(input) : sets.listHeaders();
  }

  return {
    rules,
    sets,
    monitor,
    sysctls,
    files,
    network,
    failWhen(next) {
      failure = next;
    },
    tamper(family, restore, { pid, command } = { pid: 77, command: "iptables" }) {
      const touched = rules[family].restore(restore, sets.has);
      monitor.committed(family === 4 ? "ip" : "ip6", touched, pid, command);
    },
    async run(command, args, { input, onSpawn }) {
      step({ kind: "Run", command, input });
      lastPid += 1;
      onSpawn?.(lastPid);
      try {
        return { stdout: answer(command, args, input ?? "", lastPid) };
      } catch (error) {
        if (!(error instanceof RefusedLine)) throw error;
        throw classifyFailure(
          command,
          `${command} v1.8.9: ${error.message}\nError occurred at line: ${error.line}\n`,
          input,
        );
      }
    },
    async readLines(command, args, _options, onLine) {
      step({ kind: "Run", command, input: undefined });
      for (const line of network.answer(command, args).split("\n")) onLine(line);
    },
    spawnLines(command, _args, signal) {
      step({ kind: "Spawn", command });
      lastPid += 1;
      files.set(`/proc/${lastPid}/net/netlink`, `0 12  ${lastPid}  00000040 0\n`);
      return monitor.listen(lastPid, signal);
    },
    async readSysctl(key) {
      if (key !== "net.netfilter.nf_conntrack_count") return sysctls.get(key);
      return rules[4].matches("-m conntrack ") ? "1" : "0";
    },
    async writeSysctl(key, value) {
      step({ kind: "WriteSysctl", key, value });
      const [from = 0, to = 0] = value.split(/\s+/).map(Number);
      if (!sysctls.has(key)) throw new SysctlError(key, value, "ENOENT: no such file or directory, open");
      if (key === "net.ipv4.ip_local_port_range" && !(from >= 1 && from <= to && to <= 65_535))
        throw new SysctlError(key, value, "EINVAL: invalid argument, write");
      sysctls.set(key, value.trim().split(/\s+/).join("\t"));
    },
    readFile: async (path) => files.get(path),
    async countLines(path) {
      const [, six, table] = /^\/proc\/net\/ip(6?)t_hashlimit\/(.+)$/.exec(path) ?? [];
      return table === undefined ? undefined : rules[six === "6" ? 6 : 4].hashlimitSources(table);
    },
    async eachLine(path, take) {
      files.get(path)?.split("\n").every(take);
    },
    listFolder: async (folder) =>
      [...files.keys()].flatMap((path) => (dirname(path) === folder ? [basename(path)] : [])),
    async writeFileAtomic(path, content) {
      step({ kind: "WriteFile", path });
      files.set(path, content);
    },
    async remove(path) {
      step({ kind: "RemoveFile", path });
      files.delete(path);
    },
  };
}
