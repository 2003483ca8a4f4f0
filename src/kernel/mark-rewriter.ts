import { isOurChain } from "./ownership.ts";
import type { SavedChains } from "./saved-rules.ts";

/**
 * The first rule of others in mangle, behind our hooks, that may take the reject bit from a packet's mark: what is to be
 * rejected would pass. Whatever else the rule matches counts as matching.
 */
export function markRewriter(saved: SavedChains, bit: number): string | undefined {
  const seen = new Set(["PREROUTING", "INPUT"]);
  for (const chain of seen) {
    for (const rule of saved.get(chain) ?? []) {
      if (losesBit(rule, bit)) return `${chain} ${rule}`;
      const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? "";
      if (!isOurChain(target) && saved.has(target)) seen.add(target);
    }
  }
  return undefined;
}

/** `--set-xmark V/M` makes mark & ~M ^ V (iptables-extensions(8)); all forms of MARK are printed so. */
function losesBit(rule: string, bit: number): boolean {
  const has = (hex: string | undefined) => (Number(hex) & bit) !== 0;
  const [, value, mask] = /-j MARK --set-xmark (0x[0-9a-f]+)\/(0x[0-9a-f]+)/.exec(rule) ?? [];
  if (value !== undefined) return has(value) !== has(mask);
  const restored = /-j CONNMARK --restore-mark --nfmask (0x[0-9a-f]+)/.exec(rule)?.[1];
  return restored !== undefined && has(restored);
}
