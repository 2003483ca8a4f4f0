import type { Logger } from "../telemetry/logger.ts";

/** Kubernetes kills after 30 s by default; an orderly end takes milliseconds, and a tool that hangs must not hold it up. */
const GRACE_MILLISECONDS = 4_000;

/**
 * Runs `work` until SIGTERM or SIGINT aborts its signal. Ends the process where the work has not ended 4 s later: nothing
 * that is running needs to be waited for, as each write to the kernel is one transaction of its own process.
 */
export async function runUntilStopped(work: (signal: AbortSignal) => Promise<void>, log: Logger): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) return;
    log.info({ signal: name }, "stopping");
    stop.abort();
    setTimeout(() => {
      log.warn({ milliseconds: GRACE_MILLISECONDS }, "work under way was not waited for");
      process.exit(0);
    }, GRACE_MILLISECONDS).unref();
  };
  // Not once(): execa's signal-exit kills a process that has no listener of its own left when its turn comes.
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    await work(stop.signal);
    log.info("stopped");
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
