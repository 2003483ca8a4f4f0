import { contentHash } from "../plan/content-hash.ts";
import type { Family, NodeDirection } from "../plan/node-plan.ts";
import type { Way } from "./dispatch.ts";
import { comment, rule } from "./rule.ts";
import type { Chain, CountedSet } from "./types.ts";

/** Addresses remembered for an entry in one family, and buckets for them. */
const ADDRESSES_MAX = 1024;
const BUCKETS = 128;

/** What would become of a packet: dropped, though it passes, or let through, though it does not. */
export type Would = "Drop" | "Open";

/** An entry, or `default`, or `trust`, of a policy that observes. */
export interface Tallied {
  readonly policy: string;
  readonly entry: string;
  readonly hash: string;
}

/** Names in which the chains of an observer begin. */
const OBSERVER: Readonly<Record<Would, string>> = { Drop: "PH-WD", Open: "PH-WO" };

/** Counts packets by entry, and by the address of the other end. */
export interface TallyBook {
  /** The target that counts a packet for this entry and leads out of all of our chains. */
  count(tallied: Tallied): string;
  chains(): Chain[];
  sets(): CountedSet[];
}

/**
 * Each entry that could change something has a chain of two rules and a set. A match on the set adds to an address's own
 * counter; an address that is not in it yet is added, so the two rules together count packets. When the set is full, a
 * newcomer takes the place of the first address in its bucket (forceadd): a flood of made-up sources costs an eighth of
 * what was known. Nothing here, and nothing that leads here, can drop a packet.
 */
export function tallyBook(would: Would, { peer }: Way, family: Family): TallyBook {
  const tallies = new Map<string, Tallied>();
  const create = `hash:ip ${familyOption(family)} hashsize ${BUCKETS} maxelem ${ADDRESSES_MAX} counters forceadd`;
  const chainName = (id: string) => `${OBSERVER[would]}C-${id}`;
  const setName = (id: string) => `ph-w${family}-${id}`;
  return {
    count(tallied) {
      const id = contentHash({ would, peer, create, ...tallied }, 8);
      tallies.set(id, tallied);
      return `-g ${chainName(id)}`;
    },
    chains: () =>
      [...tallies].map(([id, { policy, entry, hash }]) => ({
        name: chainName(id),
        rules: [
          rule(`-m set --match-set ${setName(id)} ${peer}`, comment(policy, entry, hash), "-j RETURN"),
          rule(comment(policy, entry, hash), `-j SET --add-set ${setName(id)} ${peer}`),
        ],
      })),
    sets: () => [...tallies.keys()].map((id) => ({ name: setName(id), family, create })),
  };
}

export function familyOption(family: Family): string {
  return `family ${family === 4 ? "inet" : "inet6"}`;
}

/** What a direction decides by other means than an entry. */
export function talliedAs(entry: "default" | "trust", { policy, hash }: NodeDirection): Tallied {
  return { policy, entry, hash };
}
