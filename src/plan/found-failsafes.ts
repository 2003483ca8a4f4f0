/** What a node showed at run time, made into failsafes beside those of the install (DESIGN 7.1). Pure. */

import type { Failsafe, Failsafes } from "./node-plan.ts";
import { subtractPorts, unionPorts } from "./ports.ts";
import { formatPrefix, parsePrefix } from "./prefix-text.ts";
import { compareText } from "./text-order.ts";
import type { PortRange } from "./types.ts";

/** Something that the node shows: who must reach it, or what it must reach. */
export interface FoundFact {
  /** SshListener: the node's SSH server listens there. ApiServer, Resolver: the node opens connections to it. */
  readonly kind: "SshListener" | "ApiServer" | "Resolver";
  readonly port: number;
  /** The other end's, without a length; absent for a listener. */
  readonly address?: string;
  /** By what it was found, in a few words. */
  readonly evidence: string;
}

/** DNS over TLS (RFC 7858). Port 53 is open to everybody already. */
export const DNS_OVER_TLS_PORT = 853;

/** Ports on which the node's own SSH server listens. */
export const FOUND_SSH = "found-ssh";

const NAMES = {
  ssh: FOUND_SSH,
  /** With the port behind it. */
  apiServer: "found-api-server",
  apiServerOfNodes: "found-api-server-port",
  resolver: "found-dns-over-tls",
} as const;

/**
 * `installed` and what was found beyond that. SSH is open to everybody, as on port 22; API servers and resolvers are
 * destinations, each at its own address. A port of API servers that is not a usual one passes between nodes too: what
 * the node connects to may be a load balancer, and the servers behind it nodes.
 */
export function withFound(installed: Failsafes, facts: readonly FoundFact[]): Failsafes {
  const ssh = beyond(installed.inbound, "Everybody", portsOf(facts, "SshListener"));
  const betweenNodes = found(
    NAMES.apiServerOfNodes,
    beyond(installed.outbound, "Nodes", portsOf(facts, "ApiServer")),
    "Nodes",
  );
  const byPort = Map.groupBy(
    facts.filter(({ kind }) => kind === "ApiServer"),
    ({ port }) => port,
  );
  return {
    inbound: [...installed.inbound, ...found(NAMES.ssh, ssh, "Everybody"), ...betweenNodes],
    outbound: [
      ...installed.outbound,
      ...betweenNodes,
      ...[...byPort].flatMap(([port, there]) =>
        found(`${NAMES.apiServer}-${port}`, portsOf(there, "ApiServer"), addressesOf(there, "ApiServer")),
      ),
      ...found(NAMES.resolver, portsOf(facts, "Resolver"), addressesOf(facts, "Resolver")),
    ],
  };
}

/** The facts that a failsafe of `withFound` stands for. */
export function factsBehind(name: string, facts: readonly FoundFact[]): readonly FoundFact[] {
  if (name === NAMES.ssh) return facts.filter(({ kind }) => kind === "SshListener");
  if (name === NAMES.resolver) return facts.filter(({ kind }) => kind === "Resolver");
  const port = name.slice(NAMES.apiServer.length + 1);
  return facts.filter(
    (fact) => fact.kind === "ApiServer" && (name === NAMES.apiServerOfNodes || port === `${fact.port}`),
  );
}

function found(name: string, ports: readonly PortRange[], peers: Failsafe["peers"]): Failsafe[] {
  return ports.length === 0 ? [] : [{ name, protocol: "TCP", ports, peers, origin: "Found" }];
}

function portsOf(facts: readonly FoundFact[], kind: FoundFact["kind"]): PortRange[] {
  return unionPorts(facts.filter((fact) => fact.kind === kind).map(({ port }) => ({ from: port, to: port })));
}

/** Canonical CIDRs, sorted. */
function addressesOf(facts: readonly FoundFact[], kind: FoundFact["kind"]): string[] {
  const addresses = facts.flatMap((fact) => (fact.kind === kind ? (fact.address ?? []) : []));
  const cidrs = addresses.map((address) => formatPrefix(parsePrefix(`${address}/${address.includes(":") ? 128 : 32}`)));
  return [...new Set(cidrs)].toSorted(compareText);
}

/** Ports at which these peers do not pass already. */
function beyond(known: readonly Failsafe[], peers: "Everybody" | "Nodes", ports: readonly PortRange[]): PortRange[] {
  const open = known.filter((one) => one.protocol === "TCP" && (one.peers === peers || one.peers === "Everybody"));
  return subtractPorts(
    ports,
    open.flatMap((one) => one.ports),
  );
}
