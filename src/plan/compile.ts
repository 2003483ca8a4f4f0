/** One policy and one node -> what the policy asks of that node. Absent fields of list items get their meaning here. */

import type { PolicySpec, PortHardeningPolicy } from "../api/policy.ts";
import { sysctlAllowed } from "./allowed-sysctls.ts";
import { CompileError } from "./compile-error.ts";
import { compileLimit } from "./compile-limit.ts";
import { compilePeers } from "./compile-peers.ts";
import { normaliseInterfaces } from "./interfaces.ts";
import { parsePortItem, parsePorts } from "./ports.ts";
import { inOrder } from "./protocols.ts";
import { type Labels, selects } from "./select.ts";
import { byName, compareText } from "./text-order.ts";
import { PLAN_FORMAT, type Plan, type PlanEntry, type PlanEphemeralPorts, type PlanInbound } from "./types.ts";

export interface NodeIdentity {
  readonly name: string;
  readonly labels: Labels;
}

export interface CompileOptions {
  /** Patterns as in `AllowedSysctl.pattern`. */
  readonly allowedSysctls: readonly string[];
}

type InboundSpec = NonNullable<NonNullable<PolicySpec["firewall"]>["inbound"]>;
type EntrySpec = NonNullable<InboundSpec["allow"]>[number];

/** undefined where the policy does not select the node. Throws CompileError. The order of lists leaves no trace. */
export function compile(policy: PortHardeningPolicy, node: NodeIdentity, options: CompileOptions): Plan | undefined {
  const { spec, metadata } = policy;
  if (!selects(spec.nodeSelector, node.labels)) return undefined;
  const inbound = spec.firewall?.inbound;
  return {
    format: PLAN_FORMAT,
    ...(spec.ephemeralPorts === undefined ? {} : { ephemeralPorts: compileEphemeralPorts(spec.ephemeralPorts) }),
    sysctls: compileSysctls(metadata.name, spec.sysctls ?? {}, options.allowedSysctls),
    ...(inbound === undefined ? {} : { inbound: compileInbound(metadata.name, inbound) }),
    rateLimits: (spec.rateLimits ?? []).map((limit) => compileLimit(metadata.name, limit)).toSorted(byName),
  };
}

function compileEphemeralPorts(ports: NonNullable<PolicySpec["ephemeralPorts"]>): PlanEphemeralPorts {
  return {
    ...(ports.range === undefined ? {} : { range: parsePortItem(ports.range) }),
    reserved: parsePorts(ports.reserved ?? []),
    persist: ports.persist,
  };
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

function compileInbound(policy: string, inbound: InboundSpec): PlanInbound {
  const entries = (list: "allow" | "deny") =>
    (inbound[list] ?? []).map((entry) => compileEntry(policy, inbound, list, entry)).toSorted(byName);
  return {
    ports: parsePorts(inbound.ports),
    protocols: inOrder(inbound.protocols),
    interfaces: normaliseInterfaces(inbound.interfaces),
    trustCluster: inbound.trustCluster,
    allow: entries("allow"),
    deny: entries("deny"),
    defaultAction: inbound.defaultAction,
  };
}

function compileEntry(policy: string, scope: InboundSpec, list: "allow" | "deny", entry: EntrySpec): PlanEntry {
  const peers = compilePeers(entry.from, (index) => {
    // An allow that is understood in part opens less than meant; a deny would let pass what it means to stop.
    if (list === "allow") return;
    const field = `spec.firewall.inbound.deny[${entry.name}].from[${index}]`;
    throw new CompileError(
      policy,
      field,
      "has no member that this version knows; upgrade the operator or drop the peer",
    );
  });
  return {
    name: entry.name,
    peers,
    ports: parsePorts(entry.ports ?? scope.ports),
    protocols: inOrder(entry.protocols ?? scope.protocols),
  };
}
