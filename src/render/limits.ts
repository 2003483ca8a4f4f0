import type { Family, NodeLimit, NodePlan } from "../plan/node-plan.ts";
import { connlimitChain, connlimitChainName } from "./connlimit.ts";
import type { DropBook } from "./drop-log.ts";
import { hashlimitMatch } from "./hashlimit.ts";
import { classChain, type InterfaceClass } from "./interface-class.ts";
import { comment, exceptMatch, portMatches, rule } from "./rule.ts";
import { trustRules, trustsEverywhere } from "./trust.ts";
import type { Chain } from "./types.ts";

function limitRules(limit: NodeLimit, family: Family, drops: DropBook): string[] {
  const limited =
    "maxConcurrent" in limit
      ? [`-j ${connlimitChainName(limit)}`]
      : [hashlimitMatch(limit, family), comment(limit.policy, limit.name, limit.hash), droppedBy(limit, drops)];
  return portMatches(limit.protocols, limit.ports).map((match) =>
    rule(match, exceptMatch(limit.exempt, family, "src"), ...limited),
  );
}

function droppedBy({ policy, name, hash }: NodeLimit, drops: DropBook): string {
  return drops.by({ policy, entry: name, hash }, "-j DROP");
}

/**
 * The narrower the source the earlier, and rates before concurrency: what one source has too much is dropped before it
 * spends what all share.
 */
export function narrowFirst(limits: readonly NodeLimit[], family: Family): NodeLimit[] {
  const bits = ({ prefixLength }: NodeLimit) => (family === 4 ? prefixLength.ipv4 : prefixLength.ipv6);
  const step = (limit: NodeLimit) => Number("maxConcurrent" in limit);
  return limits.toSorted((a, b) => bits(b) - bits(a) || step(a) - step(b));
}

/** What arrives by way of INPUT was counted in PREROUTING already; that it is DNATed by now tells. */
export const COUNTED = "-m conntrack --ctstate DNAT -j RETURN";

/**
 * The limits of a class. They come last, on what would pass: before the allows, a flood of refused sources would spend
 * the allowed ones' budget. Trusted sources are exempt, also where a policy judges them (`trustCluster: false`).
 */
export function renderLimits(
  plan: NodePlan,
  one: InterfaceClass,
  family: Family,
  drops: DropBook,
): { chains: Chain[]; entry: string } {
  if (one.limits.length === 0) return { chains: [], entry: "-j RETURN" };
  const rules = narrowFirst(one.limits, family).flatMap((limit) => limitRules(limit, family, drops));
  const name = classChain("L", one);
  const entry = `-g ${name}`;
  if (trustsEverywhere(plan.inbound)) return { chains: [{ name, rules: [COUNTED, ...rules] }], entry };
  const counting = classChain("LR", one);
  const trust = trustRules(plan, family, classChain("LP", one), "-j RETURN", `-g ${counting}`);
  const head = { name, rules: [COUNTED, ...trust.rules, `-g ${counting}`] };
  return { chains: [head, ...trust.chains, { name: counting, rules }], entry };
}

/** The chains that the limits of all classes count in. */
export function renderCounts(classes: readonly InterfaceClass[], family: Family, drops: DropBook): Chain[] {
  const limits = new Set(classes.flatMap((one) => one.limits));
  return [...limits].flatMap((limit) =>
    "maxConcurrent" in limit ? [connlimitChain(limit, family, droppedBy(limit, drops))] : [],
  );
}
