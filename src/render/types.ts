/** What shall be in the kernel, as text: the hand-over from `render` to `kernel`. */
import type { AddressSet, Family, NodeFailsafe } from "../plan/node-plan.ts";
import type { InterfaceMatch, PortRange, Protocol } from "../plan/types.ts";

/** One of our own chains. `rules` are in the exact form that iptables-save prints, without `-A CHAIN `. */
export interface Chain {
  readonly name: string;
  readonly rules: readonly string[];
}

/** Our tagged rules in a chain that is not ours, at its head and in this order; same form as `Chain.rules`. */
export interface Hook {
  readonly chain: string;
  readonly rules: readonly string[];
  /** What would go unjudged if a rule ahead of ours accepted it. Absent: everything. */
  readonly judges?: JudgedTraffic;
}

/** Connections that are judged behind a hook, by policy. */
export interface JudgedTraffic {
  readonly scopes: readonly JudgedScope[];
  /** Pass before any policy. */
  readonly failsafes: readonly NodeFailsafe[];
  /** Names of the sets of the other ends that scopes pass which trust the cluster. */
  readonly trusted: readonly string[];
  /** Name of the set of the pods' addresses, which are no node's own. */
  readonly pods: readonly string[];
  /** Addresses that are not the node's own are judged too: services'. */
  readonly vips: boolean;
}

export interface JudgedScope {
  readonly policy: string;
  readonly protocols: readonly Protocol[];
  readonly ports: readonly PortRange[];
  readonly interfaces: InterfaceMatch;
  readonly trustsCluster: boolean;
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

/** A set that rules fill: its entries are the kernel's. `create` is what `ipset create` takes behind its name. */
export interface CountedSet {
  readonly name: string;
  readonly family: Family;
  readonly create: string;
  /** Whose drops it remembers; absent: it remembers others. */
  readonly drops?: DroppingEntry;
}

/** An entry, or a limit, or `default`, that drops or rejects. */
export interface DroppingEntry {
  readonly policy: string;
  readonly direction: "Inbound" | "Outbound";
  readonly entry: string;
}

/** What judges one direction in one family, and the sets that it fills. */
export interface Judging {
  readonly chains: readonly Chain[];
  readonly hooks: readonly Hook[];
  readonly counted: readonly CountedSet[];
}

/** The whole of a node's rules, sets and sysctls. Empty lists everywhere = nothing of ours in the kernel. */
export interface RuleSet {
  readonly tables: readonly Table[];
  readonly sets: readonly AddressSet[];
  readonly sysctls: readonly SysctlSetting[];
  /** Absent: none. */
  readonly counted?: readonly CountedSet[];
  /** Table `inet porthardening` in the form that `nft -s list table` prints; absent: there shall be none. */
  readonly nftTable?: string;
}
