import type { Kernel } from "../kernel/kernel.ts";
import type { RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type DropCounts, dropCounts } from "./drop-counts.ts";

export interface DropReader {
  readonly counts: DropCounts;
  /** Takes a reading; calls that overlap share one, so that readings come in order. Never throws. */
  read(): Promise<void>;
}

/** Dropped packets of the rules that `rules` says are in the kernel. */
export function dropReader({
  kernel,
  rules,
  log,
}: {
  readonly kernel: Pick<Kernel, "counters">;
  readonly rules: () => RuleSet | undefined;
  readonly log: Logger;
}): DropReader {
  const counts = dropCounts();
  let reading: Promise<void> | undefined;

  async function take(): Promise<void> {
    const held = rules();
    if (held === undefined) return;
    try {
      counts.add(await kernel.counters(), held);
    } catch (err) {
      // Counters inform; what they miss is in the next reading.
      log.warn({ err }, "counters not read");
    }
  }

  return {
    counts,
    read() {
      reading ??= take().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}
