/** One policy and one node -> what the policy asks of that node. Absent fields of list items get their meaning here. */

import type { PolicySpec, PortHardeningPolicy } from "../api/policy.ts";
import { DEFAULT_CONFIRM_TIMEOUT_SECONDS } from "../api/rollout.ts";
import { sysctlAllowed } from "./allowed-sysctls.ts";
import { compileAudit, compileMonitoring } from "./compile-audit.ts";
import { compileEphemeralPorts } from "./compile-ephemeral-ports.ts";
import { CompileError } from "./compile-error.ts";
import { compileLimit } from "./compile-limit.ts";
import { compilePeers } from "./compile-peers.ts";
import { normaliseInterfaces } from "./interfaces.ts";
import { parsePorts } from "./ports.ts";
import { inOrder } from "./protocols.ts";
import { type Labels, selects } from "./select.ts";
import { byName, compareText } from "./text-order.ts";
import { PLAN_FORMAT, type Plan, type PlanDirection, type PlanEntry, type PortRange } from "./types.ts";

export interface NodeIdentity {
  readonly name: string;
  readonly labels: Labels;
}

export interface CompileOptions {
  /** Patterns as in `AllowedSysctl.pattern`. */
  readonly allowedSysctls: readonly string[];
  /** The cluster's NodePorts; absent: what Kubernetes takes unless it is told otherwise. */
  readonly nodePortRange?: PortRange;
}

type FirewallSpec = NonNullable<PolicySpec["firewall"]>;
type DirectionSpec = NonNullable<FirewallSpec["inbound"] | FirewallSpec["outbound"]>;
type EntrySpec = NonNullable<DirectionSpec["allow"]>[number];

/** undefined where the policy does not select the node. Throws CompileError. The order of lists leaves no trace. */
export function compile(policy: PortHardeningPolicy, node: NodeIdentity, options: CompileOptions): Plan | undefined {
  const { spec, metadata } = policy;
  if (!selects(spec.nodeSelector, node.labels)) return undefined;
  const { existing, inbound, outbound } = spec.firewall ?? {};
  const cut = existing === "Cut" ? { existing } : {};
  return {
    format: PLAN_FORMAT,
    ...(spec.ephemeralPorts === undefined
      ? {}
      : { ephemeralPorts: compileEphemeralPorts(metadata.name, spec.ephemeralPorts, options.nodePortRange) }),
    sysctls: compileSysctls(metadata.name, spec.sysctls ?? {}, options.allowedSysctls),
    ...(inbound === undefined ? {} : { inbound: { ...compileDirection(metadata.name, "inbound", inbound), ...cut } }),
    ...(outbound === undefined
      ? {}
      : { outbound: { ...compileDirection(metadata.name, "outbound", outbound), ...cut } }),
    rateLimits: (spec.rateLimits ?? []).map((limit) => compileLimit(metadata.name, limit)).toSorted(byName),
    ...(spec.monitoring === undefined ? {} : { monitoring: compileMonitoring(spec.monitoring) }),
    ...(spec.audit === undefined ? {} : { audit: compileAudit(metadata.name, spec.mode, spec.audit) }),
    ...confirmTimeout(spec.rollout?.confirmTimeoutSeconds),
  };
}

function confirmTimeout(seconds = DEFAULT_CONFIRM_TIMEOUT_SECONDS): Pick<Plan, "confirmTimeoutSeconds"> {
  return seconds === DEFAULT_CONFIRM_TIMEOUT_SECONDS ? {} : { confirmTimeoutSeconds: seconds };
}

function compileSysctls(
  policy: string,
  sysctls: Readonly<Record<string, string>>,
  allowed: readonly string[],
): Record<string, string> {
  const entries = Object.entries(sysctls).toSorted(([a], [b]) => compareText(a, b));
  for (const [key] of entries) {
    if (sysctlAllowed(key, allowed)) continue;
    const reason =
      "not among the sysctls that this install allows; take it out of the policy, or have it added to the install's " +
      `allowedSysctls: ${allowed.join(", ")}`;
    throw new CompileError(policy, `spec.sysctls[${key}]`, reason);
  }
  return Object.fromEntries(entries);
}

function compileDirection(policy: string, direction: "inbound" | "outbound", scope: DirectionSpec): PlanDirection {
  const entries = (list: "allow" | "deny") =>
    (scope[list] ?? [])
      .map((entry) => compileEntry(scope, entry, (peer) => onUnknownPeer(list, `${list}[${entry.name}].${peer}`)))
      .toSorted(byName);
  const onUnknownPeer = (list: "allow" | "deny", path: string) => {
    // An allow that is understood in part opens less than meant; a deny would let pass what it means to stop.
    if (list === "allow") return;
    const reason = "has no member that this version knows; upgrade the operator or drop the peer";
    throw new CompileError(policy, `spec.firewall.${direction}.${path}`, reason);
  };
  return {
    ports: parsePorts(scope.ports),
    protocols: inOrder(scope.protocols),
    interfaces: normaliseInterfaces(scope.interfaces),
    trustCluster: scope.trustCluster,
    allow: entries("allow"),
    deny: entries("deny"),
    defaultAction: scope.defaultAction,
  };
}

/** `onUnknown` hears the path of a peer that this version does not know: `from[2]`. */
function compileEntry(scope: DirectionSpec, entry: EntrySpec, onUnknown: (peer: string) => void): PlanEntry {
  const [field, peers] = "to" in entry ? ["to", entry.to] : ["from", "from" in entry ? entry.from : undefined];
  return {
    name: entry.name,
    peers: compilePeers(peers, (index) => onUnknown(`${field}[${index}]`)),
    ports: parsePorts(entry.ports ?? scope.ports),
    protocols: inOrder(entry.protocols ?? scope.protocols),
  };
}
