import type { ClusterAddressRole } from "../api/group.ts";
import type { KubeObject } from "../kube/types.ts";
import { formatPrefix, parsePrefix } from "../plan/prefix-text.ts";
import type { NodeFacts } from "./node-facts.ts";
import { fieldAt, recordsAt, stringsAt } from "./wire-fields.ts";

/** What the controller keeps of an EndpointSlice, a ServiceCIDR, or in part a Service: its addresses. */
export type AddressFacts = readonly string[];

export interface ClusterAddressSources {
  readonly nodes: readonly NodeFacts[];
  readonly services: readonly AddressFacts[];
  readonly apiEndpoints: readonly AddressFacts[];
  readonly serviceCidrs: readonly AddressFacts[];
}

/** Cluster, external and load balancer IPs: what kube-proxy answers on every node (`None` of headless Services is no address). */
export function parseServiceAddresses(object: KubeObject): AddressFacts {
  const spec = fieldAt(object, "spec");
  const loadBalancer = fieldAt(fieldAt(object, "status"), "loadBalancer");
  const ingress = recordsAt(loadBalancer, "ingress").flatMap(({ ip }) => (typeof ip === "string" ? [ip] : []));
  return [...stringsAt(spec, "clusterIPs"), ...stringsAt(spec, "externalIPs"), ...ingress];
}

export function parseEndpointAddresses(object: KubeObject): AddressFacts {
  return recordsAt(object, "endpoints").flatMap((endpoint) => stringsAt(endpoint, "addresses"));
}

export function parseServiceCidr(object: KubeObject): AddressFacts {
  return stringsAt(fieldAt(object, "spec"), "cidrs");
}

/** Canonical CIDRs of a role, each once. */
export function clusterAddresses(role: ClusterAddressRole, sources: ClusterAddressSources): ReadonlySet<string> {
  return canonicalCidrs(listFor(role, sources));
}

/** Each once; what is no address (a host name) is left out. */
export function canonicalCidrs(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map(canonicalCidr).filter((cidr) => cidr !== undefined));
}

function listFor(role: ClusterAddressRole, sources: ClusterAddressSources): readonly string[] {
  switch (role) {
    case "nodes":
      return sources.nodes.flatMap(({ addresses }) => addresses);
    case "pods":
      return sources.nodes.flatMap(({ podCidrs }) => podCidrs);
    case "apiservers":
      return sources.apiEndpoints.flat();
    case "service-cidrs":
      return sources.serviceCidrs.flat();
    case "vips":
      return sources.services.flat();
  }
}

function canonicalCidr(text: string): string | undefined {
  const whole = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
  try {
    return formatPrefix(parsePrefix(whole));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
