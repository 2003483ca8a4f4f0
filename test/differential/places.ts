/** Who can send to the node of the differential test, from where, and to what. The lab's own numbering: test/lab/hosts.ts. */

export type Family = 4 | 6;
export type ProtocolName = "TCP" | "UDP" | "SCTP";
/** `node` is the node itself: what it opens is judged outbound. */
export type SenderName = "outside" | "side" | "wan" | "peer" | "peerPod" | "pod" | "node";
export type PerFamily<T> = Readonly<Record<Family, T>>;

/** The node's own addresses. */
export const NODE: PerFamily<string> = { 4: "198.18.0.11", 6: "2001:db8:18::11" };
const PEER: PerFamily<string> = { 4: "198.18.0.12", 6: "2001:db8:18::12" };
const BACKEND: PerFamily<string> = { 4: "198.19.1.2", 6: "2001:db8:19:1::2" };

/** Uplinks besides eth0: the node's interface and its address there. */
export const UPLINKS = {
  side: {
    device: "eth9",
    gateway: { 4: "192.0.2.1", 6: "2001:db8:2::1" },
    network: { 4: "192.0.2.0/25", 6: "2001:db8:2::/64" },
  },
  wan: {
    device: "wan0",
    gateway: { 4: "192.0.2.129", 6: "2001:db8:3::1" },
    network: { 4: "192.0.2.128/25", 6: "2001:db8:3::/64" },
  },
} as const;

export const SOURCES: Readonly<Record<SenderName, PerFamily<readonly string[]>>> = {
  outside: { 4: ["203.0.113.7", "203.0.113.70", "198.51.100.9"], 6: ["2001:db8:113::7", "2001:db8:51::9"] },
  side: { 4: ["192.0.2.7", "192.0.2.8"], 6: ["2001:db8:2::7"] },
  wan: { 4: ["192.0.2.135"], 6: ["2001:db8:3::7"] },
  peer: { 4: [PEER[4]], 6: [PEER[6]] },
  peerPod: { 4: ["198.19.2.4"], 6: ["2001:db8:19:2::4"] },
  pod: { 4: ["198.19.1.3"], 6: ["2001:db8:19:1::3"] },
  node: { 4: [NODE[4]], 6: [NODE[6]] },
};

/** The node's interface by which a sender's packets come in. */
export const INTERFACES: Readonly<Record<Exclude<SenderName, "node">, string>> = {
  outside: "eth0",
  side: UPLINKS.side.device,
  wan: UPLINKS.wan.device,
  peer: "eth0",
  peerPod: "eth0",
  pod: "cali2",
};

/** Ports on which the node itself listens, TCP and UDP: around the bounds of scopes, failsafes among them. */
export const HOST_PORTS = [22, 67, 80, 1023, 1024, 2379, 2500, 7946, 8443, 8472, 9100, 10250, 30000, 30100, 65535];

export const SERVICES = {
  cidr: { 4: "198.19.240.0/24", 6: "2001:db8:96::/112" },
  vip: { 4: "198.19.240.10", 6: "2001:db8:96::10" },
  vipPort: 8080,
  hostVip: { 4: "198.19.240.11", 6: "2001:db8:96::11" },
  hostVipPort: { port: 80, leadsTo: 8443 },
  nodePort: 30080,
  hostNodePort: { port: 30090, leadsTo: 9100 },
  /** A service whose endpoint is outside the cluster. */
  farVip: { 4: "198.19.240.12", 6: "2001:db8:96::12" },
  farVipPort: { port: 443, leadsTo: { address: { 4: "198.51.100.9", 6: "2001:db8:51::9" }, port: 8443 } },
} as const;

export interface Target {
  readonly name: string;
  readonly address: PerFamily<string>;
  readonly port: number;
  /** What the address is to the node: its own, one for many (broadcast, multicast, anycast), or neither. */
  readonly kind: "Own" | "Many" | "Other";
  /** Where kube-proxy sends it, if it does. `own`: to an address of the node itself. */
  readonly leadsTo?: { readonly address: PerFamily<string>; readonly port: number; readonly own: boolean };
  /** The node's interface by which its own packets leave, as routed before kube-proxy; absent: the node sends nothing there. */
  readonly out?: string;
}

/** The node's own, too, though packets come in elsewhere. */
export const OTHER_UPLINK: Target = {
  name: "address on another uplink",
  address: UPLINKS.wan.gateway,
  port: 8443,
  kind: "Own",
};

type LeadsTo = NonNullable<Target["leadsTo"]>;
const toNode = (port: number): LeadsTo => ({ address: NODE, port, own: true });
const TO_BACKEND: LeadsTo = { address: BACKEND, port: 8080, own: false };
const NODE_PORT: Target = {
  name: "NodePort to a pod",
  address: NODE,
  port: SERVICES.nodePort,
  kind: "Own",
  leadsTo: TO_BACKEND,
};
const VIP: Target = {
  name: "service to a pod",
  address: SERVICES.vip,
  port: SERVICES.vipPort,
  kind: "Other",
  leadsTo: TO_BACKEND,
};
const HOST_VIP: Target = {
  name: "service to the node",
  address: SERVICES.hostVip,
  port: SERVICES.hostVipPort.port,
  kind: "Other",
  leadsTo: toNode(SERVICES.hostVipPort.leadsTo),
};

/** What others send to. */
export const TARGETS: readonly Target[] = [
  ...HOST_PORTS.map((port): Target => ({ name: `host port ${port}`, address: NODE, port, kind: "Own" })),
  OTHER_UPLINK,
  NODE_PORT,
  { name: "NodePort to the node", address: NODE, kind: "Own", port: SERVICES.hostNodePort.port, leadsTo: toNode(9100) },
  VIP,
  HOST_VIP,
  { name: "a pod's own address", address: BACKEND, port: 8080, kind: "Other" },
];

/** Reached by UDP from eth0's network only: the network's broadcast address, and its anycast address of routers (RFC 4291, 2.6.1). */
export const MANY: Target = {
  name: "broadcast or anycast",
  address: { 4: "198.18.255.255", 6: "2001:db8:18::" },
  port: 8444,
  kind: "Many",
};

export const POD_CIDRS = ["198.19.1.0/24", "2001:db8:19:1::/64", "198.19.2.0/24", "2001:db8:19:2::/64"];

/** Ports on which everybody but the node listens, TCP and UDP: around the bounds of scopes, outbound failsafes among them. */
export const FAR_PORTS = [53, 67, 80, 123, 443, 1023, 1024, 2379, 2500, 6443, 8443, 8472, 9100, 10250, 30000, 65535];

/** An address inside the service network at which there is no service; beyond eth9. */
export const UNSERVED: PerFamily<string> = { 4: "198.19.240.200", 6: "2001:db8:96::200" };

const HOSTS: readonly { readonly name: string; readonly address: PerFamily<string>; readonly out: string }[] = [
  { name: "one outside", address: { 4: "203.0.113.7", 6: "2001:db8:113::7" }, out: "eth0" },
  { name: "another outside", address: { 4: "203.0.113.70", 6: "2001:db8:51::9" }, out: "eth0" },
  { name: "a third outside", address: { 4: "198.51.100.9", 6: "2001:db8:51::9" }, out: "eth0" },
  { name: "a node", address: PEER, out: "eth0" },
  { name: "another node's pod", address: { 4: "198.19.2.4", 6: "2001:db8:19:2::4" }, out: "eth0" },
  { name: "the node's pod", address: { 4: "198.19.1.3", 6: "2001:db8:19:1::3" }, out: "cali2" },
  { name: "beyond eth9", address: { 4: "192.0.2.7", 6: "2001:db8:2::7" }, out: "eth9" },
  { name: "another beyond eth9", address: { 4: "192.0.2.8", 6: "2001:db8:2::7" }, out: "eth9" },
  { name: "the service network", address: UNSERVED, out: "eth9" },
  { name: "beyond wan0", address: { 4: "192.0.2.135", 6: "2001:db8:3::7" }, out: "wan0" },
];

/** What the node itself sends to. */
export const DESTINATIONS: readonly Target[] = [
  ...HOSTS.flatMap(({ name, address, out }) =>
    FAR_PORTS.map((port): Target => ({ name: `${name}, port ${port}`, address, port, kind: "Other", out })),
  ),
  { name: "itself", address: NODE, port: 8443, kind: "Own", out: "lo" },
  { ...OTHER_UPLINK, out: "lo" },
  { ...NODE_PORT, out: "lo" },
  { ...VIP, out: "eth0" },
  { ...HOST_VIP, out: "eth0" },
  {
    name: "service to the outside",
    address: SERVICES.farVip,
    port: SERVICES.farVipPort.port,
    kind: "Other",
    leadsTo: { ...SERVICES.farVipPort.leadsTo, own: false },
    out: "eth0",
  },
];
