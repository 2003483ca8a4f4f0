/** What a preview is made from, and what it says. Data alone. */
import type { Opening } from "../plan/connections.ts";
import type { Failsafes, Family } from "../plan/node-plan.ts";
import type { AssignedPolicy, Protocol } from "../plan/types.ts";
import type { PolicyChange } from "./policy-changes.ts";
import type { RulesChange } from "./rules-changes.ts";

/** Somewhere on a node that others may connect to. */
export interface Place {
  readonly kind: "Listener" | "NodePort" | "LoadBalancer" | "ExternalIP" | "HealthCheck" | "HostPort" | "HostNetwork";
  readonly protocol: Protocol;
  /** `0.0.0.0` is every IPv4 address of the node, `::` every address. */
  readonly address: string;
  readonly port: number;
  /** The process, or `namespace/name` of the Service or pod. Absent: not known. */
  readonly name?: string;
  /** CIDRs that it lets in by itself (loadBalancerSourceRanges); absent: everybody. */
  readonly sources?: readonly string[];
}

/** Connections that are open and judged alike. */
export interface Flow {
  /** As often as rules judge it, as `openingsOf` says; one that is refused is enough. */
  readonly openings: readonly Opening[];
  /** By which it comes or goes; absent: not known. */
  readonly device?: string;
  readonly connections: number;
}

/** Something that could not be looked at. What is not looked at is never taken for unused. */
export type GapReason =
  | "NotReported"
  | "NotAudited"
  | "ListenersLeftOut"
  | "ConnectionsLeftOut"
  | "OnlyTcpOfTheNode"
  | "UdpNotTracked"
  | "ProcessesHidden"
  | "PlanUnreadable"
  | "ServicesNotRead"
  | "PodsNotRead"
  | "RatesNotJudged"
  | "FailsafesNotReported"
  | "NoServicesAndPods";

export interface Gap {
  readonly reason: GapReason;
  /** How many things of the kind, where that is known. */
  readonly count?: number;
}

/** Who uses a node, as far as is known. */
export interface NodeUse {
  readonly places: readonly Place[];
  readonly flows: readonly Flow[];
  /** There are no other flows than these. */
  readonly flowsComplete: boolean;
  /** The node's interfaces; absent: not known, so each that a policy tells apart is thought of. */
  readonly devices?: readonly string[];
  readonly gaps: readonly Gap[];
}

export interface PreviewedNode {
  readonly name: string;
  /** What is assigned now, and what would be. */
  readonly before: readonly AssignedPolicy[];
  readonly after: readonly AssignedPolicy[];
  /** Failsafes of this node alone, beside those of all; absent: none. */
  readonly failsafes?: Failsafes;
  readonly use: NodeUse;
}

/** What changes, and on which nodes it is the same. */
export interface NodesChange {
  readonly nodes: readonly string[];
  readonly policies: readonly PolicyChange[];
  readonly rules: RulesChange;
  /** What is worth knowing of the new plan and was not true of the old one. */
  readonly warnings: readonly string[];
}

/** By which rule something would be refused. `default` is the default action. */
export interface RefusedBy {
  readonly policy: string;
  readonly entry: string;
}

/** Open connections that a change refuses. */
export interface FlowHit extends RefusedBy {
  /** Cut: at once. Refused: they live on, and cannot be opened again. */
  readonly effect: "Cut" | "Refused";
  /** Depends: on the interface, which is not known. */
  readonly certainty: "Certain" | "Depends";
  readonly direction: Opening["direction"];
  readonly protocol: Protocol;
  readonly port: number;
  readonly peer: string;
  /** Who listens there. */
  readonly names: readonly string[];
  readonly connections: number;
  /** There may be more. */
  readonly atLeast: boolean;
  readonly nodes: readonly string[];
}

/** Who gets through. Cluster: nodes and pods alone. Unjudged: no policy judges it, so everybody. */
export type Reach = "Unjudged" | "Everybody" | "Some" | "Cluster" | "Nobody";

/** Changed: some before and some after, but by other entries or addresses. */
export type ReachChange = "Closed" | "Narrowed" | "Changed" | "Opened";

export interface PlaceHit {
  readonly change: ReachChange;
  readonly before: Reach;
  readonly after: Reach;
  readonly kind: Place["kind"];
  readonly protocol: Protocol;
  /** Of a service; elsewhere every address of the node is meant. */
  readonly address?: string;
  readonly port: number;
  readonly names: readonly string[];
  /** Of these alone it is said: the Service lets nobody else in. */
  readonly sources?: readonly string[];
  /** On these interfaces alone; absent: on each. `*` stands for those that no policy names. */
  readonly interfaces?: readonly string[];
  /** In this family alone; absent: in each. */
  readonly family?: Family;
  readonly nodes: readonly string[];
}

/** A source that has more connections open than a limit will allow at a time: they live on, and not all can be opened again. */
export interface LimitHit {
  readonly policy: string;
  /** Name of the limit. */
  readonly limit: string;
  readonly maxConcurrent: number;
  /** An address, or the prefix that the limit counts as one. */
  readonly source: string;
  readonly connections: number;
  /** How many of them are too many. */
  readonly over: number;
  readonly certainty: FlowHit["certainty"];
  readonly atLeast: boolean;
  readonly nodes: readonly string[];
}

/** SSH sessions from one address. */
export interface Sessions {
  readonly peer: string;
  readonly port: number;
  readonly sessions: number;
  readonly fate: "Kept" | FlowHit["effect"];
  /** What decides: `failsafe ssh`, `policy workers, deny "blocklist"`. */
  readonly by: string;
  readonly nodes: readonly string[];
}

export interface GapOnNodes extends Gap {
  readonly nodes: readonly string[];
}

export interface Preview {
  /** NoChange: not a rule, setting or policy differs. Cuts: something that is in use would be refused. */
  readonly outcome: "NoChange" | "Changes" | "Cuts";
  readonly nodes: number;
  /** The largest group of nodes first. */
  readonly changes: readonly NodesChange[];
  /** The most connections first. */
  readonly flows: readonly FlowHit[];
  readonly limits: readonly LimitHit[];
  readonly places: readonly PlaceHit[];
  readonly sessions: readonly Sessions[];
  readonly gaps: readonly GapOnNodes[];
}
