/** What a node shall enforce: policies merged, peers resolved to sets. */
import type { ObservedPlan } from "./observed-types.ts";
import type {
  MaxConcurrent,
  NewConnections,
  PlanDirection,
  PlanEntry,
  PlanLimitScope,
  PortRange,
  Protocol,
} from "./types.ts";

export type Family = 4 | 6;

/** A named set of CIDRs in one family. `entries` are canonical (no host bits, /32 and /128 bare), disjoint and sorted; never /0. */
export interface AddressSet {
  readonly name: string;
  readonly family: Family;
  /** Absent: hash:net. The other one holds connections, as in `cut-sets.ts`. */
  readonly type?: "hash:net" | "hash:ip,port,ip";
  readonly entries: readonly string[];
}

/** Addresses resolved to sets. A family that is absent matches nobody. */
export interface ResolvedList {
  readonly sets: { readonly 4?: string; readonly 6?: string };
}

/** "Everybody" matches without a set. */
export type ResolvedPeers = "Everybody" | ResolvedList;

export interface NodeEntry extends Omit<PlanEntry, "peers"> {
  readonly peers: ResolvedPeers;
  /** Short hash of the compiled entry: goes into the rule comment `policy/entry/hash`. */
  readonly hash: string;
}

export interface NodeDirection extends Omit<PlanDirection, "allow" | "deny"> {
  readonly policy: string;
  readonly allow: readonly NodeEntry[];
  readonly deny: readonly NodeEntry[];
  /** Hash of scope and default action, for the comment `policy/default/hash`. */
  readonly hash: string;
}

interface NodeLimitScope extends PlanLimitScope {
  readonly policy: string;
  readonly exempt: ResolvedList;
  /** Hash of policy and limit: names the table, or the chain, that counts. */
  readonly hash: string;
}

export type NodeRateLimit = NodeLimitScope & NewConnections;
export type NodeConcurrencyLimit = NodeLimitScope & MaxConcurrent;
export type NodeLimit = NodeRateLimit | NodeConcurrencyLimit;

export interface NodeTrust {
  /** Node and API endpoint addresses: trusted on every interface, in both directions. */
  readonly nodes: ResolvedPeers;
  /** Pod CIDRs. As sources trusted only on `podInterfaces`, and on the uplink where `podsOnUplink` (native routing). */
  readonly pods: ResolvedPeers;
  /** Service CIDRs: trusted as destinations. */
  readonly services: ResolvedPeers;
  readonly podInterfaces: readonly string[];
  readonly podsOnUplink: boolean;
}

/** A failsafe: passes before any policy (DESIGN 7.1). */
export interface Failsafe {
  readonly name: string;
  readonly protocol: Protocol;
  readonly ports: readonly PortRange[];
  /** The other end. "Nodes" = only node and API endpoint addresses; a list: these CIDRs alone. */
  readonly peers: "Everybody" | "Nodes" | readonly string[];
  /** Who named it: the settings of the install, or the node itself at run time. Absent: it is one of ours. */
  readonly origin?: "Installed" | "Found";
}

/** A failsafe with its addresses resolved to sets. */
export interface NodeFailsafe extends Omit<Failsafe, "peers"> {
  readonly peers: "Everybody" | "Nodes" | ResolvedList;
}

export interface NodeFailsafes {
  readonly inbound: readonly NodeFailsafe[];
  readonly outbound: readonly NodeFailsafe[];
}

/** By the direction in which the connection is opened. */
export interface Failsafes {
  readonly inbound: readonly Failsafe[];
  readonly outbound: readonly Failsafe[];
}

/** A scalar that two policies set: the loser and why (DESIGN 4). */
export interface Conflict {
  readonly policy: string;
  readonly winner: string;
  readonly field: string;
}

/** Something true of a policy on this node that its author should know; never stops enforcement. */
export interface PlanWarning {
  readonly policy: string;
  readonly reason:
    | "AddressGroupMissing"
    | "AllowAboveDrop"
    | "DenyPrefixIgnored"
    | "DenySparesFailsafe"
    | "FewPortsLeft"
    | "NodePortsInRange"
    | "NodeAddressesMissing"
    | "RejectUnavailable"
    | "TooManyVips";
  readonly message: string;
}

/** A policy whose drops are logged, by source. */
export interface DropLog {
  readonly policy: string;
  /** Lines in a minute, at most. */
  readonly perMinute: number;
}

/** All that a node shall enforce: the union of its policies, peers resolved. Independent of the order of its inputs. */
export interface NodePlan {
  readonly ephemeralPorts: {
    readonly range?: PortRange & { readonly policy: string };
    /** What new pods get: of the whole cluster, so the same on every node. */
    readonly podRange?: PortRange & { readonly policy: string };
    readonly reserved: readonly PortRange[];
  };
  /** Sorted by key; the range and the reserved ports are not in here. */
  readonly sysctls: readonly { readonly key: string; readonly value: string; readonly policy: string }[];
  /** Keys (of `sysctls`, and the two port sysctls) that go into sysctl.d. */
  readonly persist: readonly string[];
  /** By priority (highest first), then name. Empty: this direction is not judged. */
  readonly inbound: readonly NodeDirection[];
  readonly outbound: readonly NodeDirection[];
  readonly rateLimits: readonly NodeLimit[];
  readonly trust: NodeTrust;
  readonly failsafes: NodeFailsafes;
  /** Service VIPs (cluster, external and load balancer IPs), judged like local addresses. */
  readonly vips: ResolvedPeers;
  /** Service CIDRs and VIPs outside them: origins of the INPUT rule for ClusterIP -> hostNetwork (DESIGN 5). Single addresses are bare. */
  readonly vipCidrs: readonly string[];
  readonly observed?: ObservedPlan;
  /** By precedence; absent: none. */
  readonly dropLogs?: readonly DropLog[];
  readonly sets: readonly AddressSet[];
  /** The bit of a packet's mark that says that it is to be rejected. */
  readonly markBit: number;
  readonly conflicts: readonly Conflict[];
  readonly warnings: readonly PlanWarning[];
}
