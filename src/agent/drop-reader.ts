import type { PolicyOnNode } from "../api/node-state.ts";
import type { Kernel, RuleCounter } from "../kernel/kernel.ts";
import type { RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type DropCounts, dropCounts } from "./drop-counts.ts";
import { tallied } from "./observed-entries.ts";

/** Packets of one policy; those that would be dropped or let pass only where it observes. */
export interface PolicyPackets {
  readonly droppedPackets: number;
  readonly wouldDropPackets?: number | undefined;
  readonly wouldOpenPackets?: number | undefined;
}

type ReportedPackets = Pick<PolicyOnNode, "name" | keyof PolicyPackets>;

export interface DropReader {
  readonly counts: DropCounts;
  /** What policies that only observe would drop, and what they would let pass. */
  readonly observed: { readonly Drop: DropCounts; readonly Open: DropCounts };
  /** What of a policy a status tells. */
  ofPolicy(policy: string, observes: boolean): PolicyPackets;
  /** Totals go on from what an agent before this one reported. */
  carryOn(reported: ReportedPackets): void;
  /** Forgets all policies but these, and what those observed that do not observe. */
  keep(policies: ReadonlySet<string>, observes: (policy: string) => boolean): void;
  /** Takes a reading; calls that overlap share one, so that readings come in order. Never throws. */
  read(): Promise<void>;
}

/** Dropped packets of the rules that `rules` says are in the kernel. */
export function dropReader({
  kernel,
  rules,
  onRead = () => undefined,
  log,
}: {
  readonly kernel: Pick<Kernel, "counters">;
  readonly rules: () => RuleSet | undefined;
  /** Hears of all counters of a reading: it is made once for all who count. */
  readonly onRead?: (counters: readonly RuleCounter[]) => void;
  readonly log: Logger;
}): DropReader {
  const counts = dropCounts();
  const observed = { Drop: dropCounts(tallied("Drop")), Open: dropCounts(tallied("Open")) };
  let reading: Promise<void> | undefined;

  async function take(): Promise<void> {
    const held = rules();
    if (held === undefined) return;
    try {
      const counters = await kernel.counters();
      for (const one of [counts, observed.Drop, observed.Open]) one.add(counters, held);
      onRead(counters);
    } catch (err) {
      // Counters inform; what they miss is in the next reading.
      log.warn({ err }, "counters not read");
    }
  }

  return {
    counts,
    observed,
    ofPolicy(policy, observes) {
      const droppedPackets = counts.ofPolicy(policy);
      if (!observes) return { droppedPackets };
      const { Drop, Open } = observed;
      return { droppedPackets, wouldDropPackets: Drop.ofPolicy(policy), wouldOpenPackets: Open.ofPolicy(policy) };
    },
    carryOn({ name, droppedPackets = 0, wouldDropPackets = 0, wouldOpenPackets = 0 }) {
      counts.carryOn(name, droppedPackets);
      observed.Drop.carryOn(name, wouldDropPackets);
      observed.Open.carryOn(name, wouldOpenPackets);
    },
    keep(policies, observes) {
      counts.keep(policies);
      const observing = new Set([...policies].filter(observes));
      for (const one of [observed.Drop, observed.Open]) one.keep(observing);
    },
    read() {
      reading ??= take().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}
