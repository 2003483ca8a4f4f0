/**
 * DESIGN 4 read as plainly as possible, over policies as users write them: one question after the other, no sets, no
 * chains, no merging. Shares no code with plan, render or simulate, so that it can tell when all three are wrong together.
 */
import ipaddr from "ipaddr.js";
import type { ProtocolName } from "./places.ts";
import type { Block, Direction, Entry, Peer, Policy, Selector } from "./policy-shape.ts";
import type { World } from "./world-facts.ts";

interface Destination {
  readonly address: string;
  readonly port: number;
  /** What it is to the node: its own, one for many (broadcast, multicast, anycast), or neither. */
  readonly kind: "Own" | "Many" | "Other";
}

/** The first packet of a connection: as it comes in, or as a process of the node sends it. */
export interface FirstPacket {
  readonly direction: "inbound" | "outbound";
  readonly protocol: ProtocolName;
  readonly source: string;
  readonly interface: string;
  readonly destination: Destination;
  /** Where kube-proxy sends it, if it does. */
  readonly leadsTo?: Destination;
}

type Because = "Unjudged" | "Failsafe" | "TrustedCluster" | "Deny" | "Allow" | "Default";

export interface Reading {
  readonly verdict: "Passed" | "Dropped" | "Rejected";
  /** What decided; several where it is judged twice, or where more than one is true. */
  readonly because: readonly Because[];
  /** `policy/limit` of each limit that counts it. */
  readonly limits: readonly string[];
}

const UNJUDGED: Reading = { verdict: "Passed", because: ["Unjudged"], limits: [] };

export function plainReading(policies: readonly Policy[], world: World, packet: FirstPacket): Reading {
  if (packet.interface === "lo") return UNJUDGED;
  const selecting = policies.filter(({ spec }) => selects(spec.nodeSelector, world.nodeLabels));
  return packet.direction === "inbound" ? arriving(selecting, world, packet) : leaving(selecting, world, packet);
}

function arriving(policies: readonly Policy[], world: World, packet: FirstPacket): Reading {
  const { protocol, source, destination, leadsTo } = packet;
  const onPodInterface = /^(cali|cni)/.test(packet.interface);
  const isNode = within([...world.nodes, ...world.apiservers], source);
  const isTrusted = isNode || (within(world.pods, source) && (world.podsOnUplink || onPodInterface));
  const asked = { ...packet, other: source, isNode, isTrusted };

  const toVip = within(world.vips, destination.address);
  const opensToNode = destination.kind === "Own" || (destination.kind === "Many" && protocol === "UDP") || toVip;
  const first = opensToNode ? judge(policies, world, { ...asked, port: destination.port }) : UNJUDGED;
  if (first.verdict !== "Passed") return first;
  // A service address that leads to a port of the node itself: that port is judged too, but nothing counts twice.
  if (leadsTo?.kind === "Own" && (toVip || within(world.serviceCidrs, destination.address))) {
    const second = judge(policies, world, { ...asked, port: leadsTo.port });
    const because = [...first.because, ...second.because];
    return second.verdict === "Passed" ? { ...first, because } : { ...second, because };
  }
  return first;
}

/** Judged by where it really goes. */
function leaving(policies: readonly Policy[], world: World, packet: FirstPacket): Reading {
  const { address: other, port, kind } = packet.leadsTo ?? packet.destination;
  if (kind === "Own") return UNJUDGED;
  const isNode = within([...world.nodes, ...world.apiservers], other);
  const isTrusted = isNode || within([...world.pods, ...world.serviceCidrs], other);
  return judge(policies, world, { ...packet, other, port, isNode, isTrusted });
}

interface Question {
  readonly direction: "inbound" | "outbound";
  readonly protocol: ProtocolName;
  readonly interface: string;
  readonly port: number;
  /** The other end: its address, and what it is to the cluster. */
  readonly other: string;
  readonly isNode: boolean;
  readonly isTrusted: boolean;
}

function judge(policies: readonly Policy[], world: World, question: Question): Reading {
  const says = (verdict: Reading["verdict"], because: Because): Reading => ({
    verdict,
    because: [because],
    limits: [],
  });
  if (!policies.some((it) => speaksOfDirection(it, question.direction))) return UNJUDGED;
  if (failsafe(question)) return says("Passed", "Failsafe");
  const scopes = policies
    .toSorted((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(({ spec }) => spec.firewall?.[question.direction] ?? [])
    .filter((it) => inScope(it, question));
  if (question.isTrusted && scopes.some(({ trustCluster = true }) => trustCluster))
    return says("Passed", "TrustedCluster");
  if (scopes.some(({ deny = [] }) => deny.some((it) => speaksOf(it, question, world, "deny"))))
    return says("Dropped", "Deny");
  const limits = question.isTrusted ? [] : limitsOn(policies, world, question);
  const allowed = scopes.some(({ allow = [] }) => allow.some((it) => speaksOf(it, question, world, "allow")));
  if (allowed) return { ...says("Passed", "Allow"), limits };
  const [first] = scopes;
  // Of trusted traffic that no policy has in scope both are true.
  if (first === undefined) {
    return { ...UNJUDGED, because: question.isTrusted ? ["Unjudged", "TrustedCluster"] : ["Unjudged"], limits };
  }
  const { defaultAction = "Drop" } = first;
  if (defaultAction === "Allow") return { ...says("Passed", "Default"), limits };
  return says(defaultAction === "Reject" ? "Rejected" : "Dropped", "Default");
}

function speaksOfDirection({ spec }: Policy, direction: Question["direction"]): boolean {
  const limits = direction === "inbound" && (spec.rateLimits ?? []).length > 0;
  return spec.firewall?.[direction] !== undefined || limits;
}

function limitsOn(policies: readonly Policy[], world: World, question: Question): string[] {
  if (question.direction === "outbound") return [];
  return policies.flatMap(({ metadata, spec }) =>
    (spec.rateLimits ?? [])
      .filter(({ ports = ["1024-65535"], protocols = ["TCP"], interfaces, exempt = [] }) => {
        const counted = protocols.includes(question.protocol) && hasPort(ports, question.port);
        const excused = exempt.some((peer) => means(peer, question.other, world, "allow"));
        return counted && !excused && onInterface(interfaces, question.interface);
      })
      .map(({ name }) => `${metadata.name}/${name}`),
  );
}

/** What must pass lest the node or the cluster is lost (DESIGN 7.1). */
function failsafe({ direction, protocol, port, isNode }: Question): boolean {
  const dhcp = [67, 68, 546, 547];
  const open = {
    inbound: { TCP: [22], UDP: dhcp, SCTP: [] },
    outbound: { TCP: [53], UDP: [53, 123, ...dhcp], SCTP: [] },
  };
  const forNodes = {
    TCP: [10250, 6443, 2379, 2380, 8132, 179, 50000, 50001, 16443, 25000, 7946],
    UDP: [4789, 6081, 8472, 51820, 51821, 51871, 7946],
    SCTP: [],
  };
  const ofApi = direction === "outbound" && protocol === "TCP" ? [443] : [];
  const has = (ports: readonly number[]) => ports.includes(port);
  return has(open[direction][protocol]) || (isNode && (has(forNodes[protocol]) || has(ofApi)));
}

function inScope(scope: Direction, { protocol, port, interface: device }: Question): boolean {
  const { ports = ["1024-65535"], protocols = ["TCP", "UDP"], interfaces } = scope;
  return hasPort(ports, port) && protocols.includes(protocol) && onInterface(interfaces, device);
}

/** Expects that the packet is in the scope of the entry's policy, so what the entry leaves out is met. */
function speaksOf(
  { from, to, ports, protocols }: Entry,
  { direction, other, protocol, port }: Question,
  world: World,
  list: "allow" | "deny",
): boolean {
  if (ports !== undefined && !hasPort(ports, port)) return false;
  if (protocols !== undefined && !protocols.includes(protocol)) return false;
  const peers = direction === "inbound" ? from : to;
  return peers === undefined || peers.some((peer) => means(peer, other, world, list));
}

function means({ ipBlock, nodes, addressGroup }: Peer, address: string, world: World, list: "allow" | "deny") {
  if (ipBlock !== undefined) return inBlock(ipBlock, address);
  if (nodes !== undefined) {
    return world.members.some(({ labels, addresses }) => selects(nodes, labels) && addresses.includes(address));
  }
  return world.groups
    .filter(
      ({ name, labels }) =>
        name === addressGroup?.name || (addressGroup?.selector && selects(addressGroup.selector, labels)),
    )
    .flatMap(({ addresses }) => addresses)
    .filter((cidr) => list === "allow" || Number(cidr.split("/")[1]) >= (cidr.includes(":") ? 16 : 8))
    .some((cidr) => within([cidr], address));
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

function onInterface(interfaces: Direction["interfaces"], device: string): boolean {
  const named = (patterns: readonly string[]) =>
    patterns.some((it) => (it.endsWith("+") ? device.startsWith(it.slice(0, -1)) : it === device));
  const { include, exclude = [] } = interfaces ?? {};
  return (include === undefined || named(include)) && !named(exclude);
}

function selects(selector: Selector | undefined, all: Readonly<Record<string, string>>): boolean {
  // Without what every object inherits: a key may be `toString`.
  const labels = new Map(Object.entries(all));
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels.get(key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels.get(key);
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const named = value !== undefined && values.includes(value);
      return operator === "In" ? named : !named;
    })
  );
}
