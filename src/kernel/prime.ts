import { isTagged, TAG } from "./ownership.ts";
import type { SavedChains } from "./saved-rules.ts";

const CHAIN = "PH-PRIME";
const JUMP = `-m comment --comment ${TAG} -j ${CHAIN}`;

/**
 * Input of iptables-restore that makes conntrack see all traffic: a ctstate match anywhere in a hooked chain registers
 * its hooks in this network namespace. The rule has no target, so it judges nothing.
 * @returns undefined where it is there already
 */
export function primeRestore(saved: SavedChains): string | undefined {
  const hooked = saved.get("PREROUTING")?.some((rule) => isTagged(rule) && rule.endsWith(`-j ${CHAIN}`));
  if (hooked === true && saved.get(CHAIN)?.length === 1) return undefined;
  return [
    "*mangle",
    `:${CHAIN} - [0:0]`,
    `-A ${CHAIN} -m conntrack --ctstate INVALID -m comment --comment ${TAG}`,
    ...(hooked === true ? [] : [`-I PREROUTING 1 ${JUMP}`]),
    "COMMIT\n",
  ].join("\n");
}
