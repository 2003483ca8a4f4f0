import type { ProbeResult } from "./probe.ts";
import type { ProbedListener } from "./probe-plan.ts";

/** Probes wait more than they work; more at once would only be more noise. */
const AT_ONCE = 4;

/** Probes listeners, a few at once and never two of the same process. Ends early, with what it has, when `signal` aborts. */
export async function probeInTurn(
  listeners: readonly ProbedListener[],
  probe: (listener: ProbedListener) => Promise<ProbeResult>,
  signal: AbortSignal,
): Promise<Map<string, ProbeResult>> {
  const results = new Map<string, ProbeResult>();
  const waiting = [...listeners];
  const busy = new Set<number>();
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      const at = waiting.findIndex(({ processId }) => processId === undefined || !busy.has(processId));
      // Whoever keeps a process busy takes up what is left of it.
      const [listener] = at < 0 ? [] : waiting.splice(at, 1);
      if (listener === undefined) return;
      if (listener.processId !== undefined) busy.add(listener.processId);
      const result = await probe(listener);
      if (listener.processId !== undefined) busy.delete(listener.processId);
      if (!signal.aborted) results.set(listener.identity, result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
