import type { Family, NodePlan, NodeRateLimit } from "../plan/node-plan.ts";
import type { LimitUnit } from "../plan/types.ts";
import { limitRoom, refillSeconds, UNIT_SECONDS } from "./limit-room.ts";

/** Units as libxt_hashlimit orders them, longest first; its periods count microseconds (XT_HASHLIMIT_SCALE_v2). */
const UNITS = [
  { name: "day", seconds: 86_400 },
  { name: "hour", seconds: 3_600 },
  { name: "min", seconds: 60 },
  { name: "sec", seconds: 1 },
] as const;

const MAX_EXPIRE_MILLISECONDS = 2 ** 31 - 1;

/**
 * The rate as iptables prints it back: in the shortest unit that loses nothing, so 120/min reads 2/sec.
 * Follows print_rate() of libxt_hashlimit.c, with the unit whose length is the default of `--hashlimit-htable-expire`.
 */
function renderRate(limit: number, per: LimitUnit): { text: string; defaultExpireMilliseconds: number } {
  const period = Math.floor((UNIT_SECONDS[per] * 1e6) / limit);
  let shown: (typeof UNITS)[number] = UNITS[0];
  for (const unit of UNITS.slice(1)) {
    const length = unit.seconds * 1e6;
    if (period > length || Math.floor(length / period) < length % period) break;
    shown = unit;
  }
  const text = `${Math.floor((shown.seconds * 1e6) / period)}/${shown.name}`;
  return { text, defaultExpireMilliseconds: shown.seconds * 1000 };
}

/**
 * Time for a whole burst to come back. A source forgotten earlier would return with a fresh burst and so get more than
 * its rate; forgotten later it only costs memory.
 */
export function expireMilliseconds(limit: NodeRateLimit["newConnections"]): number {
  return Math.min(Math.max(Math.ceil(refillSeconds(limit) * 1000), 1000), MAX_EXPIRE_MILLISECONDS);
}

/** Where the kernel remembers a limit's sources: one table of this name in each family, for at most `max[family]` sources. */
export interface LimitTable {
  readonly policy: string;
  readonly limit: string;
  readonly name: string;
  readonly max: Readonly<Record<Family, number>>;
}

const tableName = (limit: NodeRateLimit): string => `ph-${limit.hash}`;

/** One for each limit on new connections. */
export function limitTables({ rateLimits }: Pick<NodePlan, "rateLimits">): LimitTable[] {
  return rateLimits.flatMap((limit) => {
    if (!("newConnections" in limit)) return [];
    const max = { 4: limitRoom(limit, 4).sources, 6: limitRoom(limit, 6).sources };
    return [{ policy: limit.policy, limit: limit.name, name: tableName(limit), max }];
  });
}

/** Leading bits that make a source; a whole address is the default, which iptables does not print. */
function sourceMask({ prefixLength: { ipv4, ipv6 } }: NodeRateLimit, family: Family): string[] {
  const [bits, whole] = family === 4 ? [ipv4, 32] : [ipv6, 128];
  return bits === whole ? [] : [`--hashlimit-srcmask ${bits}`];
}

/**
 * Matches what is above the limit. `--ctstate NEW`, so that a retransmitted SYN of an answered connection does not
 * count. The settings' hash is in the table's name: the kernel keeps the settings of the table that it first saw.
 */
export function hashlimitMatch(limit: NodeRateLimit, family: Family, table = tableName(limit)): string {
  const rate = renderRate(limit.newConnections.limit, limit.newConnections.per);
  const expire = expireMilliseconds(limit.newConnections);
  const { sources, buckets } = limitRoom(limit, family);
  return [
    "-m conntrack --ctstate NEW -m hashlimit",
    `--hashlimit-above ${rate.text}`,
    `--hashlimit-burst ${limit.newConnections.burst}`,
    `--hashlimit-mode srcip --hashlimit-name ${table}`,
    `--hashlimit-htable-size ${buckets} --hashlimit-htable-max ${sources}`,
    ...(expire === rate.defaultExpireMilliseconds ? [] : [`--hashlimit-htable-expire ${expire}`]),
    ...sourceMask(limit, family),
  ].join(" ");
}
