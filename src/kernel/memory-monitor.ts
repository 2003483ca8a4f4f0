import type { LineStream } from "./host.ts";

export interface MemoryMonitor {
  /** A transaction of this process on these chains. */
  committed(family: "ip" | "ip6", chains: readonly string[], pid: number, command: string): void;
  listen(pid: number, signal: AbortSignal): LineStream;
  /** All that listen now are ended, as when nft dies. */
  die(): void;
}

/** `nft monitor`, as far as its lines are read. */
export function memoryMonitor(): MemoryMonitor {
  const listeners = new Set<(line: string | undefined) => void>();
  let generation = 1;
  return {
    committed(family, chains, pid, command) {
      if (chains.length === 0) return;
      generation += 1;
      const lines = chains.map((chain) => `add rule ${family} mangle ${chain} counter packets 0 bytes 0`);
      lines.push(`# new generation ${generation} by process ${pid} (${command.slice(0, 15)})`);
      for (const tell of listeners) lines.forEach(tell);
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
