import type { Kernel, KernelFacts } from "../kernel/kernel.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What the node's tools say of themselves; asked again until they have answered once. */
export interface LearnedFacts {
  /** Never throws. */
  learn(): Promise<void>;
  readonly value: KernelFacts | undefined;
  /** Why they have not answered. */
  readonly error: unknown;
  readonly wakeAt: () => number;
}

const RETRY_MILLISECONDS = 5_000;

export function learnedFacts(options: {
  readonly kernel: Pick<Kernel, "facts">;
  readonly log: Logger;
  readonly now: () => number;
}): LearnedFacts {
  const { kernel, log, now } = options;
  let value: KernelFacts | undefined;
  let error: unknown;
  return {
    async learn() {
      if (value !== undefined) return;
      try {
        value = await kernel.facts();
        error = undefined;
      } catch (err) {
        error = err;
        log.error({ err }, "the node's tools cannot be used");
      }
    },
    get value() {
      return value;
    },
    get error() {
      return error;
    },
    wakeAt: () => (value === undefined ? now() + RETRY_MILLISECONDS : Number.POSITIVE_INFINITY),
  };
}
