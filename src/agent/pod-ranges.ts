import type { PodCounts } from "../api/pods.ts";
import type { HostView } from "../audit/host-view.ts";
import type { SysctlInNetwork } from "../kernel/sysctl-in-network.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { LOCAL_PORT_RANGE } from "../plan/port-sysctls.ts";
import type { PortRange } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { podNetworks } from "./pod-networks.ts";
import { wake } from "./wake.ts";

/** How many of the node's pods have the range that new pods get. */
export interface PodRanges {
  /** What is enforced now. Cheap. */
  follow(plan: NodePlan | undefined): void;
  /** undefined where no policy gives pods a range, or nobody could look. */
  counts(): PodCounts | undefined;
  /** Looks until `signal` aborts, beside everything else. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PodRangesOptions {
  readonly host: Pick<HostView, "readFile" | "readFolder" | "readLink">;
  readonly sysctlIn: SysctlInNetwork;
  readonly log: Logger;
  /** `counts` says something else. */
  readonly onChange: () => void;
  readonly lookEveryMilliseconds?: number;
}

/**
 * Pods come without anybody telling the agent, so it looks once a minute, and only where a policy asks. What was read in a pod's
 * network is kept as long as the pod runs: nothing but a privileged container could change it.
 */
export function podRanges({
  host,
  sysctlIn,
  log,
  onChange,
  lookEveryMilliseconds = 60_000,
}: PodRangesOptions): PodRanges {
  const bell = wake();
  let wanted: PortRange | undefined;
  let known: ReadonlyMap<string, string> = new Map();
  let looked = false;

  async function look(): Promise<void> {
    const next = new Map<string, string>();
    for (const { podUid, namespace, pid } of await podNetworks(host)) {
      const key = `${podUid} ${namespace}`;
      const range = known.get(key) ?? (await sysctlIn(pid, LOCAL_PORT_RANGE));
      if (range !== undefined) next.set(key, range);
    }
    const news = !looked || next.size !== known.size || [...next.keys()].some((key) => !known.has(key));
    known = next;
    looked = true;
    if (news) onChange();
  }

  return {
    follow(plan) {
      const { from, to } = plan?.ephemeralPorts.podRange ?? {};
      const next = from === undefined || to === undefined ? undefined : { from, to };
      if (wanted?.from === next?.from && wanted?.to === next?.to) return;
      // Since then, nobody has looked.
      if (wanted === undefined) looked = false;
      wanted = next;
      bell.ring();
    },
    counts() {
      const range = wanted;
      if (range === undefined || !looked) return undefined;
      const same = [...known.values()].filter((text) => sameRange(text, range));
      return { running: known.size, withRange: same.length };
    },
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (wanted !== undefined) await look();
        } catch (err) {
          // What nobody looked at is not counted.
          looked = false;
          log.warn({ err }, "ranges of pods not read");
        }
        await bell.sleep(wanted === undefined ? Number.POSITIVE_INFINITY : lookEveryMilliseconds, signal);
      }
    },
  };
}

/** The kernel prints a tab between the two. */
function sameRange(text: string, { from, to }: PortRange): boolean {
  return text.split(/\s+/).join("-") === `${from}-${to}`;
}
