import { isDeepStrictEqual } from "node:util";
import { sleep } from "../kube/sleep.ts";
import type { GroupAddresses } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentInputs, NodeStateRecord } from "./inputs.ts";

/** What the files of a host without a cluster come to. */
export interface HostPolicies {
  /** Those that select the host, each as a NodeState would hold it. */
  readonly policies: readonly unknown[];
  readonly groups: readonly GroupAddresses[];
  /** What a person should know of them, a sentence each. */
  readonly notes: readonly string[];
}

export interface FolderInputsOptions {
  /** Throws where not all of the files can be read and understood; nothing may be concluded from the others then. */
  readonly read: () => Promise<HostPolicies>;
  readonly log: Logger;
  /** After each change, and when `synced` becomes true. */
  readonly onChange: () => void;
  readonly everyMilliseconds?: number;
}

/**
 * Policies of a folder in the place of an API server, looked at each second. They count as soon as two looks in a row find the
 * same: a file may be half written. What cannot be understood changes nothing, and is said.
 */
export function folderInputs({ read, log, onChange, everyMilliseconds = 1_000 }: FolderInputsOptions): AgentInputs & {
  run(signal: AbortSignal): Promise<void>;
} {
  let current: HostPolicies | undefined;
  let candidate: HostPolicies | undefined;
  let problem: string | undefined = "the policies were not read yet";
  let revision = 0;
  let state: NodeStateRecord | undefined;

  async function look(): Promise<void> {
    try {
      const next = await read();
      problem = undefined;
      if (isDeepStrictEqual(next, current)) return;
      const settled = isDeepStrictEqual(next, candidate);
      candidate = next;
      if (settled) adopt(next);
    } catch (error) {
      candidate = undefined;
      const why = error instanceof Error ? error.message : String(error);
      if (why !== problem) log.error({ why }, "the policies are not understood; what is enforced stays");
      problem = why;
    }
  }

  function adopt(next: HostPolicies): void {
    current = next;
    revision += 1;
    state = {
      uid: undefined,
      generation: revision,
      policies: next.policies,
      probes: [],
      probeAnswers: [],
      status: undefined,
      alone: true,
    };
    for (const note of next.notes) log.warn({ note }, "policies read");
    onChange();
  }

  return {
    get synced() {
      return current !== undefined;
    },
    get missing() {
      return problem === undefined ? [] : [problem];
    },
    // A file that cannot be read is said in `missing`, and stops nothing.
    refusals: [],
    get revision() {
      return revision;
    },
    nodeState: () => state,
    groups: () => current?.groups ?? [],
    async run(signal) {
      while (!signal.aborted) {
        await look();
        await sleep(everyMilliseconds, signal);
      }
    },
  };
}
