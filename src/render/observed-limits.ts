import { contentHash } from "../plan/content-hash.ts";
import type { Family, NodeConcurrencyLimit, NodeLimit, NodePlan, NodeRateLimit } from "../plan/node-plan.ts";
import { connlimitMatch } from "./connlimit.ts";
import { expireMilliseconds, hashlimitMatch } from "./hashlimit.ts";
import { classChain, type InterfaceClass } from "./interface-class.ts";
import { limitRoom } from "./limit-room.ts";
import { COUNTED, narrowFirst } from "./limits.ts";
import { exceptMatch, portMatches, rule } from "./rule.ts";
import { familyOption, type Tallied, type TallyBook } from "./tally.ts";
import { trustRules, trustsEverywhere } from "./trust.ts";
import type { Chain, CountedSet } from "./types.ts";

/**
 * Of the sources that a table has room for, the part that its guard admits. The kernel may let in some more, as it counts
 * a big set by regions (ip_set_hash_gen.h), but less than twice as many.
 */
const GUARDED_PART = 4;
const GUARDED_PER_BUCKET = 4;
const MAX_TIMEOUT_SECONDS = 2_147_483;
const CHAINS = { limits: "WDL", counting: "WDLR", trusted: "WDLP" } as const;

/** Its own, so that nothing that is enforced spends of it: also not once the policy is enforced. */
const tableName = ({ hash }: NodeLimit): string => `ph-w${hash}`;
const chainName = ({ hash }: NodeLimit): string => `PH-WDK-${hash}`;

const talliedAs = ({ policy, name, hash }: NodeLimit): Tallied => ({ policy, entry: name, hash });

function sourceBits({ prefixLength }: NodeLimit, family: Family): number {
  return family === 4 ? prefixLength.ipv4 : prefixLength.ipv6;
}

/**
 * A hashlimit table that is full drops the packet that it has no room for (xt_hashlimit.c, hotdrop): an observer must
 * not. So a source comes to the table only by way of a set that holds fewer: a full set leaves the newcomer out, and
 * its packets unlimited. A source stays in the set for longer than in the table. A table with room for all that can be needs no guard.
 */
function guardSet(limit: NodeRateLimit, family: Family): CountedSet | undefined {
  const bits = sourceBits(limit, family);
  const { sources } = limitRoom(limit, family);
  if (2 ** bits <= sources) return undefined;
  const netmask = bits === (family === 4 ? 32 : 128) ? "" : ` netmask ${bits}`;
  const timeout = Math.min(MAX_TIMEOUT_SECONDS, Math.ceil(expireMilliseconds(limit.newConnections) / 1000) + 60);
  const guarded = sources / GUARDED_PART;
  const size = `hashsize ${guarded / GUARDED_PER_BUCKET} maxelem ${guarded}`;
  const create = `hash:ip ${familyOption(family)} ${size}${netmask} timeout ${timeout}`;
  return { name: `ph-g${family}-${contentHash({ limit: limit.hash, create }, 8)}`, family, create };
}

function limitRules(limit: NodeLimit, family: Family, book: TallyBook): string[] {
  const matches = portMatches(limit.protocols, limit.ports).map((match) =>
    rule(match, exceptMatch(limit.exempt, family, "src")),
  );
  if ("maxConcurrent" in limit) return matches.map((match) => rule(match, `-j ${chainName(limit)}`));
  const guard = guardSet(limit, family);
  const above = rule(hashlimitMatch(limit, family, tableName(limit)), book.count(talliedAs(limit)));
  if (guard === undefined) return matches.map((match) => rule(match, above));
  return matches.flatMap((match) => [
    rule(match, `-m conntrack --ctstate NEW -j SET --add-set ${guard.name} src --exist`),
    rule(match, `-m set --match-set ${guard.name} src`, above),
  ]);
}

/** As what enforces limits (`renderLimits`), but what is above is counted. A packet above two limits on concurrency counts at both. */
export function renderObservedLimits(
  plan: NodePlan,
  one: InterfaceClass,
  family: Family,
  book: TallyBook,
): { chains: Chain[]; entry: string } {
  if (one.limits.length === 0) return { chains: [], entry: "-j RETURN" };
  const rules = narrowFirst(one.limits, family).flatMap((limit) => limitRules(limit, family, book));
  const name = classChain(CHAINS.limits, one);
  const entry = `-g ${name}`;
  if (trustsEverywhere(plan.inbound)) return { chains: [{ name, rules: [COUNTED, ...rules] }], entry };
  const counting = classChain(CHAINS.counting, one);
  const trust = trustRules(plan, family, classChain(CHAINS.trusted, one), "-j RETURN", `-g ${counting}`);
  const head = { name, rules: [COUNTED, ...trust.rules, `-g ${counting}`] };
  return { chains: [head, ...trust.chains, { name: counting, rules }], entry };
}

function countChain(limit: NodeConcurrencyLimit, family: Family, book: TallyBook): Chain {
  return { name: chainName(limit), rules: [rule(connlimitMatch(limit, family), book.count(talliedAs(limit)))] };
}

/** The chains that concurrent connections are counted in, and the sets that guard the tables of rates. */
export function renderObservedCounts(
  limits: readonly NodeLimit[],
  family: Family,
  book: TallyBook,
): { chains: Chain[]; sets: CountedSet[] } {
  return {
    chains: limits.flatMap((limit) => ("maxConcurrent" in limit ? [countChain(limit, family, book)] : [])),
    sets: limits.flatMap((limit) => ("newConnections" in limit ? (guardSet(limit, family) ?? []) : [])),
  };
}
