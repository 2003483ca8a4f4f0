import type { NodeDirection, NodePlan } from "../../../src/plan/node-plan.ts";

const anywhere = { include: [], exclude: [] };
const nobody = { sets: {} };

function direction(policy: string, hash: string, changes: Partial<NodeDirection> = {}): NodeDirection {
  return {
    policy,
    hash,
    ports: [{ from: 1024, to: 65535 }],
    protocols: ["TCP", "UDP"],
    interfaces: anywhere,
    trustCluster: true,
    defaultAction: "Drop",
    allow: [
      {
        name: "office",
        hash: `${hash.slice(0, 6)}a1`,
        peers: { sets: { 4: "ph-4-0ff1ce0ff1ce" } },
        ports: [
          { from: 8443, to: 8443 },
          { from: 30000, to: 32767 },
        ],
        protocols: ["TCP"],
      },
    ],
    deny: [
      {
        name: "blocklist",
        hash: `${hash.slice(0, 6)}d1`,
        peers: { sets: { 4: "ph-4-b10c4b10c4b1", 6: "ph-6-b10c4b10c4b1" } },
        ports: [{ from: 1024, to: 65535 }],
        protocols: ["TCP", "UDP"],
      },
    ],
    ...changes,
  };
}

/** A plan with one of everything that render knows: two policies that disagree on trust, interfaces, limits, VIPs. */
export const everything: NodePlan = {
  ephemeralPorts: { range: { from: 49152, to: 65535, policy: "workers" }, reserved: [{ from: 50000, to: 50010 }] },
  sysctls: [{ key: "net.ipv4.tcp_syncookies", value: "1", policy: "workers" }],
  persist: ["net.ipv4.ip_local_port_range"],
  inbound: [
    direction("workers", "aaaaaaaa"),
    direction("edge", "bbbbbbbb", {
      trustCluster: false,
      interfaces: { include: ["eth+", "wg0"], exclude: ["eth9"] },
      ports: Array.from({ length: 16 }, (_, index) => ({
        from: 2000 + 10 * index,
        to: 2000 + 10 * index + (index % 2),
      })),
    }),
    direction("inner", "cccccccc", {
      interfaces: { include: [], exclude: ["eth9"] },
      allow: [],
      deny: [],
      protocols: ["TCP", "UDP", "SCTP"],
      defaultAction: "Reject",
      existing: "Cut",
    }),
  ],
  outbound: [
    direction("workers", "dddddddd"),
    direction("edge", "eeeeeeee", {
      trustCluster: false,
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      defaultAction: "Allow",
      ports: [{ from: 1, to: 65535 }],
    }),
    direction("inner", "ffffffff", {
      allow: [],
      deny: [],
      protocols: ["TCP", "UDP", "SCTP"],
      defaultAction: "Reject",
      existing: "Cut",
    }),
  ],
  rateLimits: [
    {
      policy: "workers",
      name: "per-source",
      hash: "11111111",
      ports: [{ from: 1024, to: 65535 }],
      protocols: ["TCP", "UDP"],
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      prefixLength: { ipv4: 32, ipv6: 64 },
      exempt: { sets: { 4: "ph-4-0ff1ce0ff1ce" } },
      newConnections: { limit: 10, per: "Minute", burst: 20 },
    },
    {
      policy: "edge",
      name: "fast",
      hash: "22222222",
      ports: [{ from: 8443, to: 8443 }],
      protocols: ["TCP"],
      interfaces: anywhere,
      prefixLength: { ipv4: 24, ipv6: 128 },
      exempt: nobody,
      newConnections: { limit: 120, per: "Minute", burst: 1 },
    },
    {
      policy: "workers",
      name: "all",
      hash: "33333333",
      ports: [{ from: 1024, to: 65535 }],
      protocols: ["TCP"],
      interfaces: anywhere,
      prefixLength: { ipv4: 0, ipv6: 0 },
      exempt: { sets: { 4: "ph-4-exempt000000", 6: "ph-6-exempt000000" } },
      newConnections: { limit: 500, per: "Second", burst: 1000 },
    },
    {
      policy: "workers",
      name: "standing",
      hash: "44444444",
      ports: Array.from({ length: 16 }, (_, index) => ({ from: 3000 + 2 * index, to: 3000 + 2 * index })),
      protocols: ["TCP", "UDP"],
      interfaces: { include: [], exclude: ["eth9"] },
      prefixLength: { ipv4: 32, ipv6: 64 },
      exempt: { sets: { 6: "ph-6-exempt000000" } },
      maxConcurrent: 100,
    },
    {
      policy: "edge",
      name: "standing-all",
      hash: "55555555",
      ports: [{ from: 1024, to: 65535 }],
      protocols: ["TCP"],
      interfaces: anywhere,
      prefixLength: { ipv4: 0, ipv6: 0 },
      exempt: nobody,
      maxConcurrent: 10_000,
    },
  ],
  trust: {
    nodes: { sets: { 4: "ph-4-nodes", 6: "ph-6-nodes" } },
    pods: { sets: { 4: "ph-4-pods", 6: "ph-6-pods" } },
    services: { sets: { 4: "ph-4-services", 6: "ph-6-services" } },
    podInterfaces: ["cni+", "cali+"],
    podsOnUplink: false,
  },
  failsafes: {
    inbound: [
      { name: "ssh", protocol: "TCP", ports: [{ from: 22, to: 22 }], peers: "Everybody" },
      { name: "kubelet", protocol: "TCP", ports: [{ from: 10250, to: 10250 }], peers: "Nodes" },
    ],
    outbound: [
      { name: "dns", protocol: "UDP", ports: [{ from: 53, to: 53 }], peers: "Everybody" },
      { name: "etcd", protocol: "TCP", ports: [{ from: 2379, to: 2380 }], peers: "Nodes" },
    ],
  },
  vips: { sets: { 4: "ph-4-vips", 6: "ph-6-vips" } },
  vipCidrs: ["10.96.0.0/16", "203.0.113.7", "2001:db8:96::/112"],
  sets: [
    { name: "ph-4-0ff1ce0ff1ce", family: 4, entries: ["203.0.113.0/24"] },
    { name: "ph-4-b10c4b10c4b1", family: 4, entries: ["198.51.100.0/24"] },
    { name: "ph-6-b10c4b10c4b1", family: 6, entries: ["2001:db8:bad::/48"] },
    { name: "ph-4-exempt000000", family: 4, entries: ["192.0.2.0/25"] },
    { name: "ph-6-exempt000000", family: 6, entries: ["2001:db8:fee::/48"] },
    { name: "ph-4-nodes", family: 4, entries: ["198.18.0.11"] },
    { name: "ph-6-nodes", family: 6, entries: ["2001:db8:18::11"] },
    { name: "ph-4-pods", family: 4, entries: ["198.19.1.0/24"] },
    { name: "ph-6-pods", family: 6, entries: ["2001:db8:19::/64"] },
    { name: "ph-4-services", family: 4, entries: ["10.96.0.0/16"] },
    { name: "ph-6-services", family: 6, entries: ["2001:db8:96::/112"] },
    { name: "ph-4-vips", family: 4, entries: ["10.96.0.1"] },
    { name: "ph-6-vips", family: 6, entries: ["2001:db8:96::1"] },
    { name: "ph-4-unused000000", family: 4, entries: ["192.0.2.0/24"] },
  ],
  markBit: 0x1000,
  conflicts: [],
  warnings: [],
};
