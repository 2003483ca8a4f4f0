const KNOWN_MILLISECONDS = 10_000;
const KNOWN_MAXIMUM = 256;

/** Which processes are ours, to tell our own writes from others' in `nft monitor`, whose lines may come after the process has ended. */
export interface OwnProcesses {
  add(pid: number): void;
  /** `command` as the kernel knows it (15 characters). Where the agent has process ids of its own (no hostPID) the answer is no: one needless verify. */
  has(pid: number, command: string): boolean;
}

export function ownProcesses(now: () => number): OwnProcesses {
  /** In order of start, so the oldest come first. */
  const started = new Map<number, number>();
  return {
    add(pid) {
      started.delete(pid);
      started.set(pid, now());
      for (const [old, at] of started) {
        if (started.size <= KNOWN_MAXIMUM && now() - at <= KNOWN_MILLISECONDS) break;
        started.delete(old);
      }
    },
    has(pid, command) {
      const at = started.get(pid);
      return at !== undefined && now() - at <= KNOWN_MILLISECONDS && /^(?:ip6?tables-nft|nft$)/.test(command);
    },
  };
}
