import { MIN_EPHEMERAL_PORTS } from "../api/ephemeral-ports.ts";
import type { PolicySpec } from "../api/policy.ts";
import { CompileError } from "./compile-error.ts";
import { DEFAULT_NODE_PORT_RANGE } from "./node-port-range.ts";
import { formatReservedPorts } from "./port-sysctls.ts";
import { countPorts, parsePortItem, parsePorts, subtractPorts, unionPorts } from "./ports.ts";
import type { PlanEphemeralPorts, PortRange } from "./types.ts";

/** NodePorts are a fact of the cluster, so only here can it be told whether they leave enough of the range. */
export function compileEphemeralPorts(
  policy: string,
  ports: NonNullable<PolicySpec["ephemeralPorts"]>,
  nodePorts: PortRange = DEFAULT_NODE_PORT_RANGE,
): PlanEphemeralPorts {
  const named = parsePorts(ports.reserved ?? []);
  const reserved = ports.reserveNodePorts === true ? unionPorts(named, [nodePorts]) : named;
  if (ports.range === undefined) return { reserved, persist: ports.persist };
  const range = parsePortItem(ports.range);
  const left = countPorts(subtractPorts([range], reserved));
  if (ports.reserveNodePorts === true && left < MIN_EPHEMERAL_PORTS) {
    const reason =
      `leaves ${left} ports of range ${ports.range}, and at least ${MIN_EPHEMERAL_PORTS} are needed: NodePorts are ` +
      `${formatReservedPorts([nodePorts])} (--service-node-port-range); move the range away from them`;
    throw new CompileError(policy, "spec.ephemeralPorts.reserveNodePorts", reason);
  }
  const met = nodePorts.from <= range.to && range.from <= nodePorts.to;
  return {
    range,
    reserved,
    ...(met ? { nodePorts } : {}),
    persist: ports.persist,
    ...(ports.pods === "Inject" ? { pods: ports.pods } : {}),
  };
}
