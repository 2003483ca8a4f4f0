import { join } from "node:path";
import type { Family } from "../plan/node-plan.ts";
import type { Host } from "./host.ts";
import { type OriginalsFile, originalsFile } from "./originals.ts";
import type { OwnProcesses } from "./own-processes.ts";
import { type Persistence, persistence } from "./persistence.ts";
import { SYSCTL_FILE } from "./sysctl-file.ts";

const TIMEOUT_MILLISECONDS = 30_000;

/** The tools of one iptables backend: the seam for iptables-legacy. By their full names, never through alternatives. */
export interface RuleTools {
  readonly backend: "iptables-nft";
  readonly save: Readonly<Record<Family, string>>;
  readonly restore: Readonly<Record<Family, string>>;
}

export const IPTABLES_NFT: RuleTools = {
  backend: "iptables-nft",
  save: { 4: "iptables-nft-save", 6: "ip6tables-nft-save" },
  restore: { 4: "iptables-nft-restore", 6: "ip6tables-nft-restore" },
};

/** A node with the places where our things are. */
export interface NodeAccess {
  readonly host: Host;
  readonly tools: RuleTools;
  readonly originals: OriginalsFile;
  readonly sysctlFile: string;
  readonly persistence: Persistence;
  /** Runs a tool and returns what it printed; its process id is known as ours. */
  run(command: string, args: readonly string[], input?: string): Promise<string>;
  /** The same for output of any size. */
  readLines(command: string, args: readonly string[], onLine: (line: string) => void): Promise<void>;
}

export function nodeAccess(
  host: Host,
  stateDir: string,
  sysctlDir: string,
  own: OwnProcesses,
  now: () => number,
): NodeAccess {
  const sysctlFile = join(sysctlDir, SYSCTL_FILE);
  return {
    host,
    tools: IPTABLES_NFT,
    originals: originalsFile(host, stateDir),
    sysctlFile,
    persistence: persistence(host, sysctlFile, now),
    async run(command, args, input) {
      const options = {
        timeoutMilliseconds: TIMEOUT_MILLISECONDS,
        onSpawn: own.add,
        ...(input !== undefined && { input }),
      };
      return (await host.run(command, args, options)).stdout;
    },
    readLines: (command, args, onLine) =>
      host.readLines(command, args, { timeoutMilliseconds: TIMEOUT_MILLISECONDS, onSpawn: own.add }, onLine),
  };
}
