/** The cluster's own addresses, as the controller publishes them in labelled, sharded groups (DESIGN 2). */
import { CLUSTER_ADDRESSES_LABEL, type ClusterAddressRole } from "../api/group.ts";
import type { Prefix } from "./prefix.ts";
import { aggregatePrefixes, subtractPrefixes } from "./prefix-sets.ts";
import { formatSetEntry, parsePrefix } from "./prefix-text.ts";
import type { GroupAddresses } from "./types.ts";

/** Each of these is a rule of its own in INPUT, walked by every packet that was DNATed. */
const VIP_CIDRS_MAX = 256;

export interface ClusterAddresses {
  readonly nodes: readonly Prefix[];
  readonly pods: readonly Prefix[];
  /** Service CIDRs. */
  readonly services: readonly Prefix[];
  readonly vips: readonly Prefix[];
  /** As in `NodePlan`: the service CIDRs first to be kept where there are too many. */
  readonly vipCidrs: readonly string[];
  /** Blocks that found no room in `vipCidrs`. */
  readonly vipCidrsLeftOut: number;
}

export function clusterAddresses(groups: readonly GroupAddresses[]): ClusterAddresses {
  const of = (role: ClusterAddressRole): Prefix[] =>
    groups
      .filter(
        ({ labels }) => Object.hasOwn(labels, CLUSTER_ADDRESSES_LABEL) && labels[CLUSTER_ADDRESSES_LABEL] === role,
      )
      .flatMap(({ addresses }) => addresses.map(parsePrefix));
  const vips = of("vips");
  const services = aggregatePrefixes(of("service-cidrs"));
  const origins = [...services, ...subtractPrefixes(vips, services)];
  return {
    nodes: [...of("nodes"), ...of("apiservers")],
    pods: of("pods"),
    services,
    vips,
    vipCidrs: aggregatePrefixes(origins.slice(0, VIP_CIDRS_MAX)).map(formatSetEntry),
    vipCidrsLeftOut: Math.max(0, origins.length - VIP_CIDRS_MAX),
  };
}
