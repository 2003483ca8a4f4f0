import type { RuleCounter } from "../kernel/kernel.ts";
import type { RuleSet } from "../render/types.ts";

/** Dropped and rejected packets of one entry of a policy; `entry` is `default` for the default action. */
export interface EntryDrops {
  readonly direction: "Inbound" | "Outbound";
  readonly policy: string;
  readonly entry: string;
  readonly packets: number;
}

export interface DropCounts {
  /**
   * Takes a reading. The kernel counts from 0 again where a rule was written anew; these totals only grow. Readings
   * must come in the order in which they were taken.
   */
  add(counters: readonly RuleCounter[], rules: RuleSet): void;
  /** Totals since this process started, plus what the rules had counted when it first looked. */
  entries(): readonly EntryDrops[];
  /** The same for a whole policy, and what `carryOn` added. */
  ofPolicy(policy: string): number;
  /** The policy's total was `packets` already, as an agent before this one reported: it goes on from there. */
  carryOn(policy: string, packets: number): void;
  /** Forgets all policies but these, so that the labels of metrics stay bounded. */
  keep(policies: ReadonlySet<string>): void;
}

const COMMENT = /-m comment --comment "?([^"\s]+)"? /;
const DROP = /-m comment --comment \S+ (?:-j DROP|-j REJECT --reject-with \S+|-g PH-REJECT|-g PH-D-[0-9a-f]{8})$/;

/** Whether a rule's packets count. */
export type CountedRule = (chain: string, rule: string) => boolean;

const drops: CountedRule = (_chain, rule) => DROP.test(rule);

export function dropCounts(counts = drops): DropCounts {
  let lastReading = new Map<string, number>();
  const totals = new Map<string, EntryDrops>();
  const carried = new Map<string, number>();

  const counted = (policy: string): number =>
    [...totals.values()].reduce((sum, entry) => sum + (entry.policy === policy ? entry.packets : 0), 0);

  return {
    add(counters, rules) {
      const dropping = countedRules(rules, counts);
      const reading = new Map<string, number>();
      for (const { family, chain, comment, packets } of counters) {
        const direction = dropping.get(`${chain} ${comment}`);
        if (direction === undefined) continue;
        // One entry may be several rules with one comment (multiport takes 15 ports): they count as one.
        const key = `${family} ${direction} ${chain} ${comment}`;
        reading.set(key, (reading.get(key) ?? 0) + packets);
      }
      for (const [key, packets] of reading) {
        const before = lastReading.get(key) ?? 0;
        const more = packets >= before ? packets - before : packets;
        const [policy = "", entry = ""] = key.slice(key.lastIndexOf(" ") + 1).split("/");
        const direction = key.includes(" Outbound ") ? "Outbound" : "Inbound";
        const name = `${direction} ${policy}/${entry}`;
        totals.set(name, { direction, policy, entry, packets: (totals.get(name)?.packets ?? 0) + more });
      }
      lastReading = reading;
    },
    entries: () => [...totals.values()],
    ofPolicy: (policy) => (carried.get(policy) ?? 0) + counted(policy),
    carryOn: (policy, packets) => void carried.set(policy, Math.max(0, packets - counted(policy))),
    keep(policies) {
      for (const [name, { policy }] of totals) if (!policies.has(policy)) totals.delete(name);
      for (const policy of carried.keys()) if (!policies.has(policy)) carried.delete(policy);
    },
  };
}

/** Direction by chain and comment (`policy/entry/hash`) of the rules that count; others carry comments too. */
function countedRules({ tables }: RuleSet, counted: CountedRule): ReadonlyMap<string, EntryDrops["direction"]> {
  const dropping = new Map<string, EntryDrops["direction"]>();
  for (const { name: table, chains } of tables) {
    for (const { name, rules } of chains) {
      for (const rule of rules) {
        const comment = counted(name, rule) ? COMMENT.exec(rule)?.[1] : undefined;
        if (comment !== undefined) dropping.set(`${name} ${comment}`, table === "filter" ? "Outbound" : "Inbound");
      }
    }
  }
  return dropping;
}
