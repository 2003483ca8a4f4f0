/**
 * DESIGN 4 read as plainly as possible, over policies as users write them: one question after the other, no sets, no
 * chains, no merging. Shares no code with plan, render or simulate, so that it can tell when all three are wrong together.
 */
import ipaddr from "ipaddr.js";
import type { Block, Entry, Group, Inbound, Peer, Policy, Selector } from "./policy-shape.ts";
import type { World } from "./world-facts.ts";

/** The first packet of a connection, as it comes in. */
export interface FirstPacket {
  readonly protocol: "TCP" | "UDP";
  readonly source: string;
  readonly interface: string;
  readonly destination: string;
  readonly port: number;
  /** What the destination is to the node: its own, one for many (broadcast, multicast, anycast), or neither. */
  readonly destinationKind: "Own" | "Many" | "Other";
  /** Where kube-proxy sends it, if it does: a port of the node itself, or somewhere else. */
  readonly leadsTo?: { readonly nodePort: number } | "Elsewhere";
}

export interface Reading {
  readonly passes: boolean;
  /** `policy/limit` of each limit that counts it. */
  readonly limits: readonly string[];
}

const PASS: Reading = { passes: true, limits: [] };
const DROP: Reading = { passes: false, limits: [] };

export function plainReading(policies: readonly Policy[], world: World, packet: FirstPacket): Reading {
  const { destination, destinationKind: kind, protocol } = packet;
  const toVip = within(world.vips, destination);
  const opensToNode = kind === "Own" || (kind === "Many" && protocol === "UDP") || toVip;
  const first = opensToNode ? judge(policies, world, packet, packet.port) : PASS;
  if (!first.passes) return first;
  // A service address that leads to a port of the node itself: that port is judged too, but nothing counts twice.
  if (typeof packet.leadsTo === "object" && (toVip || within(world.serviceCidrs, destination))) {
    if (!judge(policies, world, packet, packet.leadsTo.nodePort).passes) return DROP;
  }
  return first;
}

function judge(policies: readonly Policy[], world: World, packet: FirstPacket, port: number): Reading {
  if (packet.interface === "lo") return PASS;
  const selecting = policies.filter(({ spec }) => selects(spec.nodeSelector, world.nodeLabels));
  const fromNodes = within([...world.nodes, ...world.apiservers], packet.source);
  const fromPods = within(world.pods, packet.source) && (world.podsOnUplink || /^(cali|cni)/.test(packet.interface));
  const trusted = fromNodes || fromPods;
  if (failsafe(packet.protocol, port, fromNodes)) return PASS;

  const scopes = selecting
    .toSorted((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(({ spec }) => spec.firewall?.inbound ?? [])
    .filter((it) => inScope(it, packet, port));
  if (trusted && scopes.some(({ trustCluster = true }) => trustCluster)) return PASS;
  if (scopes.some(({ deny = [] }) => deny.some((it) => speaksOf(it, packet, port, world, "deny")))) return DROP;
  const allowed = scopes.some(({ allow = [] }) => allow.some((it) => speaksOf(it, packet, port, world, "allow")));
  const [first] = scopes;
  if (first !== undefined && !allowed && first.defaultAction !== "Allow") return DROP;

  const limits = selecting.flatMap(({ metadata, spec }) =>
    (spec.rateLimits ?? [])
      .filter(({ ports = ["1024-65535"], protocols = ["TCP"], interfaces, exempt = [] }) => {
        const counted = protocols.includes(packet.protocol) && hasPort(ports, port);
        const excused = exempt.some((peer) => means(peer, packet.source, world.groups, "allow"));
        return counted && !excused && onInterface(interfaces, packet.interface);
      })
      .map(({ name }) => `${metadata.name}/${name}`),
  );
  return { passes: true, limits: trusted ? [] : limits };
}

/** What must pass lest the node or the cluster is lost (DESIGN 7.1). */
function failsafe(protocol: "TCP" | "UDP", port: number, fromNodes: boolean): boolean {
  const open = { TCP: [22], UDP: [67, 68, 546, 547] };
  const forNodes = {
    TCP: [10250, 6443, 2379, 2380, 8132, 179, 50000, 50001, 16443, 25000, 7946],
    UDP: [4789, 6081, 8472, 51820, 51821, 51871, 7946],
  };
  return open[protocol].includes(port) || (fromNodes && forNodes[protocol].includes(port));
}

function inScope(inbound: Inbound, packet: FirstPacket, port: number): boolean {
  const { ports = ["1024-65535"], protocols = ["TCP", "UDP"], interfaces } = inbound;
  return hasPort(ports, port) && protocols.includes(packet.protocol) && onInterface(interfaces, packet.interface);
}

/** Expects that the packet is in the scope of the entry's policy, so what the entry leaves out is met. */
function speaksOf(
  { from, ports, protocols }: Entry,
  { source, protocol }: FirstPacket,
  port: number,
  { groups }: World,
  list: "allow" | "deny",
): boolean {
  if (ports !== undefined && !hasPort(ports, port)) return false;
  if (protocols !== undefined && !protocols.includes(protocol)) return false;
  return from === undefined || from.some((peer) => means(peer, source, groups, list));
}

function means({ ipBlock, addressGroup }: Peer, source: string, groups: readonly Group[], list: "allow" | "deny") {
  if (ipBlock !== undefined) return inBlock(ipBlock, source);
  return groups
    .filter(
      ({ name, labels }) =>
        name === addressGroup?.name || (addressGroup?.selector && selects(addressGroup.selector, labels)),
    )
    .flatMap(({ addresses }) => addresses)
    .filter((cidr) => list === "allow" || Number(cidr.split("/")[1]) >= (cidr.includes(":") ? 16 : 8))
    .some((cidr) => within([cidr], source));
}

function inBlock({ cidr, except = [] }: Block, address: string): boolean {
  return within([cidr], address) && !within(except, address);
}

function within(cidrs: readonly string[], address: string): boolean {
  const one = ipaddr.parse(address);
  return cidrs.some((cidr) => {
    const [network, bits] = ipaddr.parseCIDR(cidr);
    return network.kind() === one.kind() && one.match(network, bits);
  });
}

function hasPort(items: readonly (number | string)[], port: number): boolean {
  return items.some((item) => {
    const [from, to = from] = String(item).split("-").map(Number);
    return from !== undefined && to !== undefined && from <= port && port <= to;
  });
}

function onInterface(interfaces: Inbound["interfaces"], device: string): boolean {
  const named = (patterns: readonly string[]) =>
    patterns.some((it) => (it.endsWith("+") ? device.startsWith(it.slice(0, -1)) : it === device));
  const { include, exclude = [] } = interfaces ?? {};
  return (include === undefined || named(include)) && !named(exclude);
}

function selects(selector: Selector | undefined, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const named = value !== undefined && values.includes(value);
      return operator === "In" ? named : !named;
    })
  );
}
