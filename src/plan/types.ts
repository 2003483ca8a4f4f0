/**
 * The values that flow between the pure phases: `Plan` (one policy, one node) and its parts; `node-plan.ts` has what a node
 * makes of several. No behaviour here.
 */
import type { LEVELS } from "../api/audit.ts";
import type { Mode } from "./observed-types.ts";

/** A closed range of ports, 1 <= from <= to <= 65535. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type Protocol = "TCP" | "UDP" | "SCTP";

/** iptables interface patterns (`eth0`, `eth+`). An empty `include` means every interface. Loopback is never judged. */
export interface InterfaceMatch {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * A reference to address groups, resolved at merge time against the groups that exist then. `nodes` selects Nodes: means
 * the groups in which the controller publishes their addresses.
 */
export type GroupRef =
  | { readonly name: string }
  | { readonly selector: PlanSelector }
  | { readonly nodes: PlanSelector };

/** A metav1.LabelSelector; `normaliseSelector` gives its one form. */
export interface PlanSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

/** One `matchExpressions` item of a metav1.LabelSelector. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** Addresses by block and by group. CIDRs are canonical, disjoint and sorted. Both empty: nobody. */
export interface PeerList {
  readonly cidrs: readonly string[];
  readonly groups: readonly GroupRef[];
}

/** Whom an entry speaks of. "Everybody" is what an absent `from` or `to` means. */
export type Peers = "Everybody" | PeerList;

/** One allow or deny entry; ports and protocols are filled in from the scope where the user left them out. */
export interface PlanEntry {
  readonly name: string;
  readonly peers: Peers;
  readonly ports: readonly PortRange[];
  readonly protocols: readonly Protocol[];
}

/** What happens to traffic in scope that no entry allows. */
export type DefaultAction = "Drop" | "Reject" | "Allow";

/** How traffic of one direction is judged. Peers are sources inbound and destinations outbound; interfaces `-i` and `-o`. */
export interface PlanDirection {
  readonly ports: readonly PortRange[];
  readonly protocols: readonly Protocol[];
  readonly interfaces: InterfaceMatch;
  readonly trustCluster: boolean;
  readonly allow: readonly PlanEntry[];
  readonly deny: readonly PlanEntry[];
  readonly defaultAction: DefaultAction;
  /** Connections that were open before are cut where this policy refuses them; absent: they live on. */
  readonly existing?: "Cut";
}

/** What a limit counts, and how many sources share a count. */
export interface PlanLimitScope {
  readonly name: string;
  readonly ports: readonly PortRange[];
  readonly protocols: readonly Protocol[];
  readonly interfaces: InterfaceMatch;
  /** Leading bits of an address that make a source. 0: all sources of the family are counted together. */
  readonly prefixLength: { readonly ipv4: number; readonly ipv6: number };
}

/** At most `limit` new connections `per` unit, after a first `burst`. */
export interface NewConnections {
  readonly newConnections: { readonly limit: number; readonly per: LimitUnit; readonly burst: number };
}
/** At most so many connections at a time. */
export interface MaxConcurrent {
  readonly maxConcurrent: number;
}

export type PlanLimit = PlanLimitScope & { readonly exempt: PeerList } & (NewConnections | MaxConcurrent);
export type LimitUnit = "Second" | "Minute" | "Hour" | "Day";

export interface PlanEphemeralPorts {
  readonly range?: PortRange;
  readonly reserved: readonly PortRange[];
  /** The cluster's NodePorts, where `range` meets them. */
  readonly nodePorts?: PortRange;
  readonly persist: boolean;
  /** New pods get `range` too; absent: they do not. */
  readonly pods?: "Inject";
}

/** A listener that is meant to be there; without `process`, whichever it is. */
export interface PlanListener {
  readonly ports: PortRange;
  readonly process?: string;
}

export interface PlanMonitoring {
  readonly listeners?: { readonly expected: readonly PlanListener[]; readonly unexpected: "Report" | "Ignore" };
  readonly dropLog?: { readonly perMinute: number };
}

export type Level = (typeof LEVELS)[number];

export interface PlanAudit {
  /** Cron, five fields, UTC. */
  readonly schedule: string;
  readonly mandatoryAccessControl: Level;
  readonly pendingUpdates: Level;
  readonly automaticUpdates: Level | "Ensure";
  readonly plaintextProtocols: Level;
  readonly exposure: Level;
  readonly skipProbes: readonly PortRange[];
}

/** The newest plan format of this version; all that it reads and writes are in plan-formats.ts. */
export const PLAN_FORMAT = 1;

/** What ONE policy asks of ONE node. Pure data, JSON, hashed; groups are still references. */
export interface Plan {
  readonly format: typeof PLAN_FORMAT;
  readonly ephemeralPorts?: PlanEphemeralPorts;
  /** Sysctl name in dotted form to value, allow-listed. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly inbound?: PlanDirection;
  readonly outbound?: PlanDirection;
  readonly rateLimits: readonly PlanLimit[];
  readonly monitoring?: PlanMonitoring;
  readonly audit?: PlanAudit;
  /** How long a change of it may go unconfirmed; absent: 60. */
  readonly confirmTimeoutSeconds?: number;
}

/** A plan as it stands in a NodeState, in any format that this version knows. */
export interface WrittenPlan {
  readonly format: number;
}

/** One element of NodeState.spec.policies. */
export interface Assigned<P extends WrittenPlan> {
  readonly name: string;
  readonly uid: string;
  /** `planHash({priority, mode, plan})`: the revision that roll-out and status compare. */
  readonly hash: string;
  readonly priority: number;
  readonly mode: Mode;
  /** Another value has an agent that failed try again; no part of the revision. */
  readonly retryAt?: string | undefined;
  readonly plan: P;
}

/** An element as the agent works with it. */
export interface AssignedPolicy extends Assigned<Plan> {
  /** The plan as it was written, and as `hash` knows it; absent where that is `plan`. */
  readonly written?: WrittenPlan;
}

/** What merge needs to know of a PortHardeningAddressGroup. */
export interface GroupAddresses {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
}
