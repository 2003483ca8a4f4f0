import type { Family, NodeConcurrencyLimit } from "../plan/node-plan.ts";
import { comment, rule } from "./rule.ts";
import type { Chain } from "./types.ts";

/**
 * The chain of one limit on concurrent connections. Its own, because the count lives in the rule and a rewrite of a chain
 * starts its rules anew: so an edit of anything else leaves the count. Reached by a jump from every rule that matches the
 * limit's traffic, so that all its ports and interfaces have one count; it never returns early, so the jump comes back.
 */
export function connlimitChainName({ hash }: NodeConcurrencyLimit): string {
  return `PH-C-${hash}`;
}

/**
 * A new connection counts itself, so `above` lets exactly `maxConcurrent` stand; one that is refused, closed or in
 * TIME_WAIT is not counted at the next look (nf_conncount.c). Only a connection's first packet is judged: one that has
 * its place keeps it whatever it repeats. Kernels from 5.19 to 6.18 (before its stable updates) also count a tuple twice
 * that they see twice within a jiffy, so one-way UDP would fill its limit.
 */
export function connlimitMatch(limit: NodeConcurrencyLimit, family: Family): string {
  const bits = family === 4 ? limit.prefixLength.ipv4 : limit.prefixLength.ipv6;
  return rule(
    "-m conntrack --ctstate NEW ! --ctstatus CONFIRMED",
    `-m connlimit --connlimit-above ${limit.maxConcurrent} --connlimit-mask ${bits} --connlimit-saddr`,
  );
}

/** What is above goes to `target`. */
export function connlimitChain(limit: NodeConcurrencyLimit, family: Family, target: string): Chain {
  return {
    name: connlimitChainName(limit),
    rules: [rule(connlimitMatch(limit, family), comment(limit.policy, limit.name, limit.hash), target)],
  };
}
