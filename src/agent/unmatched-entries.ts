import type { NodeStateStatus } from "../api/node-state.ts";
import { UNMATCHED_MAX, type UnmatchedEntryOnNode, type UnmatchedOnNode } from "../api/unmatched.ts";
import type { RuleCounter } from "../kernel/kernel.ts";
import type { NodeDirection } from "../plan/node-plan.ts";
import { compareText } from "../plan/text-order.ts";
import { INBOUND, OUTBOUND } from "../render/dispatch.ts";
import type { Enforcement } from "./enforcement.ts";

type Held = Pick<Enforcement, "plan" | "policies">;

/** Which entries of the policies in force a packet has matched: once is for good, as long as the entry stays as it is. */
export interface UnmatchedEntries {
  /** Takes a reading of the kernel's counters. */
  add(counters: readonly RuleCounter[], held: Held): void;
  /** What an agent before this one reported: its counters may be gone. */
  carryOn(status: NodeStateStatus): void;
  /** undefined where nothing is in force that could match. */
  status(held: Held | undefined): UnmatchedOnNode | undefined;
}

interface Known {
  /** Set by the first status: what an agent before this one reported is known then. */
  since: string | undefined;
  matched: boolean;
}

type Named = Omit<UnmatchedEntryOnNode, "since">;

/** An entry as it stands in rules. */
interface Entry extends Named {
  readonly hash: string;
}

/** `now`: milliseconds since the epoch. */
export function unmatchedEntries(now: () => number): UnmatchedEntries {
  /** By what an entry comes to, not by its name alone: an edited entry begins anew. */
  let known = new Map<string, Known>();
  let reported: NodeStateStatus = {};

  /** Entries that come are known from now on; those that went are forgotten. */
  function follow({ plan }: Held): readonly Entry[] {
    const entries = [...entriesOf("Inbound", plan.inbound), ...entriesOf("Outbound", plan.outbound)];
    const next = new Map<string, Known>();
    for (const entry of entries) {
      const key = keyOf(entry);
      next.set(key, known.get(key) ?? { since: undefined, matched: false });
    }
    known = next;
    return entries;
  }

  return {
    add(counters, held) {
      follow(held);
      for (const { chain, comment, packets } of counters) {
        const direction = directionOf(chain);
        const one = packets > 0 && direction !== undefined ? known.get(`${direction} ${comment}`) : undefined;
        if (one !== undefined) one.matched = true;
      }
    },
    carryOn(status) {
      reported = status;
    },
    status(held) {
      if (held === undefined) return undefined;
      const entries = follow(held);
      if (entries.length === 0) return undefined;
      const unmatched = entries.flatMap(({ hash, ...entry }) => {
        const one = known.get(keyOf({ ...entry, hash }));
        if (one === undefined) return [];
        if (one.since === undefined) {
          const before = knownBefore(entry, held.policies, reported);
          one.since = before?.since ?? new Date(now()).toISOString();
          one.matched ||= before?.matched ?? false;
        }
        return one.matched ? [] : [{ ...entry, since: one.since }];
      });
      const inOrder = unmatched.toSorted((a, b) => compareText(nameOf(a), nameOf(b)));
      return { count: unmatched.length, of: entries.length, entries: inOrder.slice(0, UNMATCHED_MAX) };
    },
  };
}

/**
 * What an agent before this one knew of an entry of the same revision of its policy: what it did not name had matched,
 * as far as its list reached. undefined: nothing.
 */
function knownBefore(entry: Named, policies: Held["policies"], { unmatched, policies: then = [] }: NodeStateStatus) {
  const { hash } = policies.find(({ name }) => name === entry.policy) ?? {};
  const same = then.some(({ name, hash: before, state }) => {
    return name === entry.policy && before === hash && state === "Enforced";
  });
  if (unmatched === undefined || !same) return undefined;
  const named = unmatched.entries.find((one) => nameOf(one) === nameOf(entry));
  if (named !== undefined) return { since: named.since, matched: false };
  const last = unmatched.entries.at(-1);
  const isWhole = unmatched.entries.length === unmatched.count;
  const reaches = isWhole || (last !== undefined && compareText(nameOf(entry), nameOf(last)) < 0);
  return reaches ? { since: undefined, matched: true } : undefined;
}

function entriesOf(direction: Entry["direction"], scopes: readonly NodeDirection[]): Entry[] {
  return scopes.flatMap(({ policy, allow, deny, hash }) => [
    ...deny.map((one) => ({ policy, direction, list: "Deny" as const, entry: one.name, hash: one.hash })),
    ...allow.map((one) => ({ policy, direction, list: "Allow" as const, entry: one.name, hash: one.hash })),
    { policy, direction, list: "Default" as const, entry: "default", hash },
  ]);
}

/** By the chains that judge; others count for something else, or not at all. */
function directionOf(chain: string): Entry["direction"] | undefined {
  if (chain.startsWith(`PH-${OUTBOUND.judgeKind}`)) return "Outbound";
  return chain.startsWith(`PH-${INBOUND.judgeKind}`) ? "Inbound" : undefined;
}

function keyOf({ direction, policy, entry, hash }: Entry): string {
  return `${direction} ${policy}/${entry}/${hash}`;
}

function nameOf({ policy, direction, list, entry }: Named): string {
  return `${policy} ${direction} ${list} ${entry}`;
}
