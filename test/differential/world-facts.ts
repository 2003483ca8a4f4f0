import type { Group } from "./policy-shape.ts";

/** What a node's rules depend on besides policies: CIDRs of the cluster's own addresses, and the users' groups. */
export interface World {
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
  /** Node objects, as peers may name them; apart from what is trusted. */
  readonly members: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly addresses: readonly string[];
  }[];
  readonly apiservers: readonly string[];
  readonly pods: readonly string[];
  readonly vips: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly podsOnUplink: boolean;
  readonly groups: readonly Group[];
}
