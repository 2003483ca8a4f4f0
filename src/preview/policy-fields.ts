/** A policy as compiled, said in short phrases: what a person compares. Whatever differs between two plans differs here. */
import { canonicalJson } from "../plan/canonical-json.ts";
import { describeGroupRef } from "../plan/group-refs.ts";
import type {
  AssignedPolicy,
  InterfaceMatch,
  Peers,
  Plan,
  PlanDirection,
  PlanEntry,
  PlanLimit,
  PortRange,
} from "../plan/types.ts";

/** Phrases by field: `inbound.allow[office]` has `from 203.0.113.0/24`, `port 8443`, `TCP`. */
export type PolicyFields = ReadonlyMap<string, readonly string[]>;

export function policyFields({ mode, priority, plan }: AssignedPolicy): PolicyFields {
  return new Map<string, readonly string[]>([
    ["mode", [mode]],
    ["priority", [String(priority)]],
    ...ephemeralFields(plan),
    ...Object.entries(plan.sysctls).map(([key, value]) => field(`sysctls[${key}]`, value)),
    ...(["inbound", "outbound"] as const).flatMap((name) => directionFields(name, plan[name])),
    ...plan.rateLimits.map((limit): [string, string[]] => [`rateLimits[${limit.name}]`, limitPhrases(limit)]),
    ...jsonFields("monitoring", plan.monitoring),
    ...jsonFields("audit", plan.audit),
  ]);
}

type Field = [string, readonly string[]];

function field(path: string, ...phrases: readonly string[]): Field {
  return [path, phrases];
}

function ephemeralFields({ ephemeralPorts }: Plan): Field[] {
  if (ephemeralPorts === undefined) return [];
  const { range, reserved, nodePorts, persist } = ephemeralPorts;
  return [
    ...(range === undefined ? [] : [field("ephemeralPorts.range", portText(range))]),
    field("ephemeralPorts.reserved", ...reserved.map(portText)),
    ...(nodePorts === undefined ? [] : [field("ephemeralPorts.reservedNodePorts", portText(nodePorts))]),
    field("ephemeralPorts.persist", String(persist)),
  ];
}

function directionFields(name: "inbound" | "outbound", direction: PlanDirection | undefined): Field[] {
  if (direction === undefined) return [];
  const { ports, protocols, interfaces, trustCluster, defaultAction, existing = "Keep" } = direction;
  const whom = name === "inbound" ? "from" : "to";
  const entries = (list: "allow" | "deny") =>
    direction[list].map((entry) => field(`${name}.${list}[${entry.name}]`, ...entryPhrases(entry, whom)));
  return [
    field(
      name,
      ...ports.map(portPhrase),
      ...protocols,
      ...interfacePhrases(interfaces),
      trustCluster ? "trusted cluster passes" : "cluster is not trusted",
      `default ${defaultAction}`,
      `existing ${existing}`,
    ),
    ...entries("allow"),
    ...entries("deny"),
  ];
}

function entryPhrases({ peers, ports, protocols }: PlanEntry, whom: "from" | "to"): string[] {
  return [...peerPhrases(peers, whom), ...ports.map(portPhrase), ...protocols];
}

function limitPhrases(limit: PlanLimit): string[] {
  const { ports, protocols, interfaces, prefixLength, exempt } = limit;
  const { ipv4, ipv6 } = prefixLength;
  const amount =
    "maxConcurrent" in limit
      ? `${limit.maxConcurrent} at a time`
      : `${limit.newConnections.limit} per ${limit.newConnections.per}, burst ${limit.newConnections.burst}`;
  return [
    amount,
    `for each /${ipv4} and IPv6 /${ipv6}`,
    ...ports.map(portPhrase),
    ...protocols,
    ...interfacePhrases(interfaces),
    ...(exempt.cidrs.length + exempt.groups.length === 0 ? [] : peerPhrases(exempt, "exempt")),
  ];
}

function peerPhrases(peers: Peers, whom: string): string[] {
  if (peers === "Everybody") return [`${whom} everybody`];
  const phrases = [...peers.cidrs, ...peers.groups.map(describeGroupRef)].map((peer) => `${whom} ${peer}`);
  return phrases.length === 0 ? [`${whom} nobody`] : phrases;
}

function interfacePhrases({ include, exclude }: InterfaceMatch): string[] {
  return [...include.map((one) => `interface ${one}`), ...exclude.map((one) => `not interface ${one}`)];
}

/** Fields that change no rule; as they stand in the plan. */
function jsonFields(name: string, value: object | undefined): Field[] {
  return Object.entries(value ?? {}).map(([key, member]) => field(`${name}.${key}`, canonicalJson(member)));
}

function portPhrase(range: PortRange): string {
  return `port ${portText(range)}`;
}

function portText({ from, to }: PortRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}
