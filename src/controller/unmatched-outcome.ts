/** Which entries of a policy no packet has matched: on one node, and on all together. */
import { UNMATCHED_MAX, type Unmatched, type UnmatchedOnNode } from "../api/unmatched.ts";
import { compareText } from "../plan/text-order.ts";

/** As in `web Inbound Allow office`: what the cache keeps of an entry. */
export type UnmatchedName = string;

export function unmatchedNames({ entries }: UnmatchedOnNode): readonly UnmatchedName[] {
  return entries.map(({ policy, direction, list, entry }) => `${policy} ${direction} ${list} ${entry}`);
}

/** Of one policy, without its name; undefined where the node says nothing of it. */
export function unmatchedOf(
  policy: string,
  names: readonly UnmatchedName[] | undefined,
): readonly string[] | undefined {
  return names?.flatMap((name) => (name.startsWith(`${policy} `) ? [name.slice(policy.length + 1)] : []));
}

/**
 * What all nodes name that enforce the policy. A node that says nothing may have matched anything, so then it is not
 * known. Empty lists of entries are left out.
 */
export function summariseUnmatched(nodes: readonly (readonly string[] | undefined)[]): { unmatched?: Unmatched } {
  const [first, ...others] = nodes;
  if (first === undefined) return {};
  let common = first;
  for (const names of others) {
    if (names === undefined) return {};
    const also = new Set(names);
    common = common.filter((name) => also.has(name));
  }
  if (common.length === 0) return {};
  const entries = common.toSorted(compareText).slice(0, UNMATCHED_MAX).map(entryOf);
  return { unmatched: { count: entries.length, entries } };
}

type Entry = Unmatched["entries"][number];

function entryOf(name: string): Entry {
  const [direction, list, entry = ""] = name.split(" ");
  return {
    direction: direction === "Outbound" ? "Outbound" : "Inbound",
    list: list === "Allow" || list === "Deny" ? list : "Default",
    entry,
  };
}
