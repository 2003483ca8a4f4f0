import { resources } from "../kube/resources.ts";
import { sleep } from "../kube/sleep.ts";
import type { KubeClient } from "../kube/types.ts";
import { rolloutStanding } from "./rollout-standing.ts";

export interface FollowOptions {
  readonly client: Pick<KubeClient, "get">;
  readonly name: string;
  /** False: one look. */
  readonly watch: boolean;
  /** 0: for ever. */
  readonly timeoutMilliseconds: number;
  readonly write: (line: string) => void;
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

const POLL_MILLISECONDS = 500;

/**
 * Says how the roll-out stands, a line whenever that changes. False: it has stalled, the time is over, or it was interrupted.
 * Throws where there is no such policy.
 */
export async function followRollout(options: FollowOptions): Promise<boolean> {
  const { client, name, watch, timeoutMilliseconds, write, signal, pollMilliseconds = POLL_MILLISECONDS } = options;
  const deadline = timeoutMilliseconds === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMilliseconds;
  let said = "";
  for (;;) {
    const policy = await client.get(resources.policies, { name }, signal);
    if (policy === undefined) throw new Error(`there is no PortHardeningPolicy ${name}`);
    const { line, outcome } = rolloutStanding(policy);
    if (line !== said) write(line);
    said = line;
    if (outcome !== "Running") return outcome === "Done";
    if (!watch) return true;
    if (performance.now() >= deadline) {
      write(`${name}: not done after ${timeoutMilliseconds / 1_000} s`);
      return false;
    }
    await sleep(Math.min(pollMilliseconds, deadline - performance.now()), signal);
    if (signal.aborted) return false;
  }
}
