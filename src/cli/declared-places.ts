import { parseCidr } from "../api/cidr.ts";
import { isLoopback } from "../audit/listeners/reach.ts";
import { fieldAt, recordsAt, stringsAt } from "../controller/wire-fields.ts";
import type { KubeObject } from "../kube/types.ts";
import type { Protocol } from "../plan/types.ts";
import type { Place } from "../preview/types.ts";

/** What an object of the cluster declares that others connect to. */
export interface DeclaredPlaces {
  /** Absent: on every node. */
  readonly node?: string;
  readonly places: readonly Place[];
}

const EVERY = "::";

/**
 * Of a Service of type NodePort or LoadBalancer, or with external addresses: all that kube-proxy answers on every node, and
 * the port of its load balancer's health checks. ClusterIPs are for the cluster, which policies trust.
 */
export function servicePlaces(object: KubeObject): readonly Place[] {
  const spec = fieldAt(object, "spec");
  const name = `${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
  const ingress = recordsAt(fieldAt(fieldAt(object, "status"), "loadBalancer"), "ingress");
  // In mode Proxy nobody answers that address on the nodes.
  const balanced = ingress.flatMap(({ ip, ipMode }) => (typeof ip === "string" && ipMode !== "Proxy" ? [ip] : []));
  const ranges = sourceRanges(spec);
  const ofPorts = recordsAt(spec, "ports").flatMap((one): Place[] => {
    const protocol = protocolOf(one["protocol"]);
    const at = (kind: Place["kind"], address: string, port: unknown): Place[] =>
      protocol !== undefined && isPort(port) ? [{ kind, protocol, address, port, name }] : [];
    return [
      ...at("NodePort", EVERY, one["nodePort"]),
      ...balanced
        .flatMap((address) => at("LoadBalancer", address, one["port"]))
        // kube-proxy lets nobody else in by this address; NodePorts are open to all.
        .map((place) => (ranges.length === 0 ? place : { ...place, sources: ranges })),
      ...stringsAt(spec, "externalIPs").flatMap((address) => at("ExternalIP", address, one["port"])),
    ];
  });
  const check = fieldAt(spec, "healthCheckNodePort");
  const checked: Place[] = isPort(check)
    ? [{ kind: "HealthCheck", protocol: "TCP", address: EVERY, port: check, name }]
    : [];
  return [...ofPorts, ...checked];
}

/** Of a pod that was given to a node and has not ended: its hostPorts, or all its ports where it is in the node's own network. */
export function podPlaces(object: KubeObject): DeclaredPlaces | undefined {
  const spec = fieldAt(object, "spec");
  const node = fieldAt(spec, "nodeName");
  const phase = fieldAt(fieldAt(object, "status"), "phase");
  if (typeof node !== "string" || phase === "Succeeded" || phase === "Failed") return undefined;
  const name = `${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
  const kind = fieldAt(spec, "hostNetwork") === true ? "HostNetwork" : "HostPort";
  const containers = [...recordsAt(spec, "containers"), ...recordsAt(spec, "initContainers")];
  const places = containers
    .flatMap((container) => recordsAt(container, "ports"))
    .flatMap((one): Place[] => {
      const port = one["hostPort"] ?? (kind === "HostNetwork" ? one["containerPort"] : undefined);
      const protocol = protocolOf(one["protocol"]);
      const address = typeof one["hostIP"] === "string" && one["hostIP"] !== "" ? one["hostIP"] : EVERY;
      return protocol !== undefined && isPort(port) && !isLoopback(address)
        ? [{ kind, protocol, address, port, name }]
        : [];
    });
  return { node, places };
}

/** What it does not let in is no loss; where one cannot be read, everybody is thought of. */
function sourceRanges(spec: unknown): readonly string[] {
  const ranges = stringsAt(spec, "loadBalancerSourceRanges").map((range) => range.trim());
  return ranges.every((range) => parseCidr(range) !== undefined) ? ranges : [];
}

function protocolOf(value: unknown): Protocol | undefined {
  return value === undefined ? "TCP" : (["TCP", "UDP", "SCTP"] as const).find((one) => one === value);
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && value > 0;
}
