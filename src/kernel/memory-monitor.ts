import type { LineStream } from "./host.ts";
import type { TouchedChain } from "./memory-rules.ts";

export interface MemoryMonitor {
  /** A transaction of this process on these chains. */
  committed(family: "ip" | "ip6", chains: readonly TouchedChain[], pid: number, command: string): void;
  /** A transaction of an nft process. */
  committedNft(change: string, pid: number): void;
  listen(pid: number, signal: AbortSignal): LineStream;
  /** All that listen now are ended, as when nft dies. */
  die(): void;
}

/** `nft monitor`, as far as its lines are read. */
export function memoryMonitor(): MemoryMonitor {
  const listeners = new Set<(line: string | undefined) => void>();
  let generation = 1;
  const announce = (lines: readonly string[], pid: number, command: string) => {
    generation += 1;
    const end = `# new generation ${generation} by process ${pid} (${command.slice(0, 15)})`;
    for (const tell of listeners) [...lines, end].forEach(tell);
  };
  return {
    committedNft: (change, pid) => announce([change], pid, "nft"),
    committed(family, chains, pid, command) {
      if (chains.length === 0) return;
      const lines = chains.map(({ table, chain }) => `add rule ${family} ${table} ${chain} counter packets 0 bytes 0`);
      announce(lines, pid, command);
    },
    listen(pid, signal) {
      const queue: (string | undefined)[] = [];
      let wake = (): void => {};
      const tell = (line: string | undefined) => {
        queue.push(line);
        wake();
      };
      const end = () => tell(undefined);
      listeners.add(tell);
      signal.addEventListener("abort", end, { once: true });
      async function* lines() {
        try {
          for (;;) {
            while (queue.length > 0) {
              const line = queue.shift();
              if (line === undefined) return;
              yield line;
            }
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        } finally {
          listeners.delete(tell);
          signal.removeEventListener("abort", end);
        }
      }
      return { pid, lines: lines() };
    },
    die() {
      for (const tell of listeners) tell(undefined);
    },
  };
}
