/** What shall be in the kernel, as text: the hand-over from `render` to `kernel`. */
import type { AddressSet, Family } from "../plan/types.ts";

/** One of our own chains. `rules` are in the exact form that iptables-save prints, without `-A CHAIN `. */
export interface Chain {
  readonly name: string;
  readonly rules: readonly string[];
}

/** Our tagged rules in a chain that is not ours, at its head and in this order; same form as `Chain.rules`. */
export interface Hook {
  readonly chain: string;
  readonly rules: readonly string[];
}

/** Ours in `mangle` judge inbound, in `filter` outbound. */
export const TABLE_NAMES = ["mangle", "filter"] as const;
export type TableName = (typeof TABLE_NAMES)[number];

export interface Table {
  readonly family: Family;
  readonly name: TableName;
  readonly chains: readonly Chain[];
  readonly hooks: readonly Hook[];
}

/**
 * A sysctl to hold. "Contains" (reserved ports): the kernel's value must contain these ranges and keeps the others.
 * `persist`: the value held also stands in our sysctl.d file.
 */
export interface SysctlSetting {
  readonly key: string;
  readonly value: string;
  readonly match: "Equal" | "Contains";
  readonly persist: boolean;
}

/** The whole of a node's rules, sets and sysctls. Empty lists everywhere = nothing of ours in the kernel. */
export interface RuleSet {
  readonly tables: readonly Table[];
  readonly sets: readonly AddressSet[];
  readonly sysctls: readonly SysctlSetting[];
  /** Table `inet porthardening` in the form that `nft -s list table` prints; absent: there shall be none. */
  readonly nftTable?: string;
}
