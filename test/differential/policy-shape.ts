import type { ProtocolName } from "./places.ts";

/** The parts of the objects that decide about packets, as users write them: absent fields are absent. */

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

export interface Block {
  readonly cidr: string;
  readonly except?: readonly string[];
}

export interface Peer {
  readonly ipBlock?: Block;
  readonly nodes?: Selector;
  readonly addressGroup?: { readonly name?: string; readonly selector?: Selector };
}

export interface Entry {
  readonly name: string;
  /** Inbound. */
  readonly from?: readonly Peer[];
  /** Outbound. */
  readonly to?: readonly Peer[];
  readonly ports?: readonly (number | string)[];
  readonly protocols?: readonly ProtocolName[];
}

export interface Interfaces {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** `firewall.inbound` or `firewall.outbound`. */
export interface Direction {
  readonly ports?: readonly (number | string)[];
  readonly protocols?: readonly ProtocolName[];
  readonly interfaces?: Interfaces;
  readonly trustCluster?: boolean;
  readonly allow?: readonly Entry[];
  readonly deny?: readonly Entry[];
  readonly defaultAction?: "Drop" | "Reject" | "Allow";
}

export interface RateLimit {
  readonly name: string;
  readonly ports?: readonly (number | string)[];
  readonly protocols?: readonly ProtocolName[];
  readonly interfaces?: Interfaces;
  readonly exempt?: readonly Peer[];
  /** One of these two. */
  readonly newConnections?: { readonly limit: number; readonly per: string; readonly burst: number };
  readonly maxConcurrent?: number;
}

export interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly nodeSelector?: Selector;
    readonly priority?: number;
    readonly firewall?: { readonly inbound?: Direction; readonly outbound?: Direction };
    readonly rateLimits?: readonly RateLimit[];
    /** Decides nothing, but stands in the way of what is dropped. */
    readonly monitoring?: { readonly dropLog: { readonly perMinute: number } };
  };
}

export interface Group {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
}
