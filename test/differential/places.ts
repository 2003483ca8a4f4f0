/** Who can send to the node of the differential test, from where, and to what. The lab's own numbering: test/lab/hosts.ts. */

export type Family = 4 | 6;
export type SenderName = "outside" | "side" | "wan" | "peer" | "peerPod" | "pod";
type PerFamily<T> = Readonly<Record<Family, T>>;

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
};

/** The node's interface by which a sender's packets come in. */
export const INTERFACES: Readonly<Record<SenderName, string>> = {
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
} as const;

export interface Target {
  readonly name: string;
  readonly address: PerFamily<string>;
  readonly port: number;
  readonly kind: "Own" | "Many" | "Other";
  readonly leadsTo?: { readonly nodePort: number } | "Elsewhere";
}

/** The node's own, too, though packets come in elsewhere. */
export const OTHER_UPLINK: Target = {
  name: "address on another uplink",
  address: UPLINKS.wan.gateway,
  port: 8443,
  kind: "Own",
};

export const TARGETS: readonly Target[] = [
  ...HOST_PORTS.map((port): Target => ({ name: `host port ${port}`, address: NODE, port, kind: "Own" })),
  OTHER_UPLINK,
  { name: "NodePort to a pod", address: NODE, port: SERVICES.nodePort, kind: "Own", leadsTo: "Elsewhere" },
  {
    name: "NodePort to the node",
    address: NODE,
    port: SERVICES.hostNodePort.port,
    kind: "Own",
    leadsTo: { nodePort: SERVICES.hostNodePort.leadsTo },
  },
  { name: "service to a pod", address: SERVICES.vip, port: SERVICES.vipPort, kind: "Other", leadsTo: "Elsewhere" },
  {
    name: "service to the node",
    address: SERVICES.hostVip,
    port: SERVICES.hostVipPort.port,
    kind: "Other",
    leadsTo: { nodePort: SERVICES.hostVipPort.leadsTo },
  },
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
