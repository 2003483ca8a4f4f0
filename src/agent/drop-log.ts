import type { DroppedOnNode } from "../api/dropped.ts";
import type { DroppedPeer, Kernel } from "../kernel/kernel.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { DroppingEntry, RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type DropLogPace, dropLogPace } from "./drop-log-pace.ts";
import type { DropReader } from "./drop-reader.ts";
import { droppedEntries } from "./dropped-entries.ts";

/** Says whom policies with dropLog drop, in the log within seconds and in status. */
export interface DropLog {
  /** Reads and says what is due. Never throws. */
  look(): Promise<void>;
  /** Reads at once: sets may go with the rules that fill them. Never throws. */
  take(): Promise<void>;
  wakeAt(): number;
  /** Totals go on from what an agent before this one reported. */
  carryOn(reported: readonly DroppedOnNode[]): void;
  /** Forgets all policies but these. */
  keep(policies: ReadonlySet<string>): void;
  /** What entries dropped, of all policies. */
  status(): DroppedOnNode[];
}

export interface DropLogOptions {
  readonly kernel: Pick<Kernel, "takeDropped">;
  readonly drops: Pick<DropReader, "counts" | "read">;
  /** What is in the kernel. */
  readonly held: () =>
    | { readonly plan: Pick<NodePlan, "dropLogs">; readonly rules: Pick<RuleSet, "counted"> }
    | undefined;
  readonly log: Logger;
  readonly now: () => number;
  readonly everyMilliseconds?: number;
}

/** Reading the sets is to take one part in 100 of the time, as long as that lets drops be said within seconds. */
const REST_PER_READING = 99;
const LONGEST_REST_MILLISECONDS = 6_000;

/**
 * The sets of who was dropped are read and emptied: a node that drops nothing has nothing to read, and one process asks for all.
 * The rules' own counters cost the whole rule set of the node to read, so they are left to their own pace, but for
 * an entry that has never dropped before.
 */
export function dropLog({ kernel, drops, held, log, now, everyMilliseconds = 3_000 }: DropLogOptions): DropLog {
  const entries = droppedEntries();
  const paces = new Map<string, DropLogPace>();
  /** Packets of the policies' rules, as counted before the sets were read: so who came meanwhile is not among the nameless. */
  let counted: ReadonlyMap<string, number> = new Map();
  let readingMilliseconds = 0;
  let dueAt = Number.POSITIVE_INFINITY;

  const logs = () => held()?.plan.dropLogs ?? [];
  const sets = () => (held()?.rules.counted ?? []).filter((set) => set.drops !== undefined);
  const packetsOf = (policy: string): number =>
    drops.counts.entries().reduce((sum, entry) => sum + (entry.policy === policy ? entry.packets : 0), 0);

  async function read(): Promise<void> {
    if (logs().some(({ policy }) => !paces.has(policy))) await drops.read();
    counted = new Map(logs().map(({ policy }) => [policy, packetsOf(policy)]));
    let found: ReadonlyMap<string, readonly DroppedPeer[]>;
    const start = now();
    try {
      found = await kernel.takeDropped(sets().map(({ name }) => name));
    } catch (err) {
      // Who was dropped informs; the next reading has the next ones.
      log.warn({ err }, "who was dropped not read");
      return;
    } finally {
      readingMilliseconds = now() - start;
    }
    let news = false;
    for (const { name, drops: by } of sets()) {
      const peers = found.get(name) ?? [];
      if (by === undefined || peers.length === 0) continue;
      entries.add(by, peers);
      paceOf(by.policy).add(
        peers.map((peer) => ({ ...by, ...peer })),
        now(),
      );
      news ||= !drops.counts.entries().some((one) => one.packets > 0 && isSame(one, by));
    }
    if (news) await drops.read();
  }

  function paceOf(policy: string): DropLogPace {
    const pace = paces.get(policy) ?? dropLogPace();
    paces.set(policy, pace);
    return pace;
  }

  function say(): void {
    for (const { policy, perMinute } of logs()) {
      const { named, rest } = paceOf(policy).next(now(), perMinute, counted.get(policy) ?? 0);
      for (const { address, direction, ...more } of named) {
        const peer = direction === "Inbound" ? { source: address } : { destination: address };
        log.info({ ...more, direction, ...peer }, "dropped");
      }
      if (rest !== undefined) log.info({ policy, ...rest }, "dropped, and not named one by one");
    }
  }

  return {
    async look() {
      if (logs().length === 0) {
        dueAt = Number.POSITIVE_INFINITY;
        return;
      }
      if (dueAt !== Number.POSITIVE_INFINITY && now() < dueAt) return;
      await read();
      say();
      const rest = Math.min(REST_PER_READING * readingMilliseconds, LONGEST_REST_MILLISECONDS);
      dueAt = now() + Math.max(everyMilliseconds, rest);
    },
    async take() {
      if (logs().length > 0) await read();
    },
    wakeAt: () => dueAt,
    carryOn: (reported) => entries.carryOn(reported, drops.counts.entries()),
    keep(policies) {
      entries.keep(policies);
      for (const policy of paces.keys()) if (!policies.has(policy)) paces.delete(policy);
    },
    status() {
      const logging = new Set(logs().map(({ policy }) => policy));
      return entries.status(drops.counts.entries(), (policy) => logging.has(policy));
    },
  };
}

function isSame(a: DroppingEntry, b: DroppingEntry): boolean {
  return a.policy === b.policy && a.direction === b.direction && a.entry === b.entry;
}
