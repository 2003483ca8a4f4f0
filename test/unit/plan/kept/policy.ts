/** A policy with one of everything that plans speak of. Never edit it: what became of it in each format is kept beside it. */
export const keptPolicy = {
  priority: 7,
  ephemeralPorts: { range: "49152-65535", reserved: [50000] },
  sysctls: { "net.ipv4.tcp_syncookies": "1" },
  firewall: {
    existing: "Cut",
    inbound: {
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      allow: [
        { name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.64/26"] } }] },
        { name: "partners", from: [{ addressGroup: { name: "partners" } }], ports: [8443], protocols: ["TCP"] },
        { name: "metrics", from: [{ nodes: { matchLabels: { role: "monitoring" } } }], ports: ["9100-9101"] },
      ],
      deny: [{ name: "blocklist", from: [{ addressGroup: { selector: { matchLabels: { list: "blocked" } } } }] }],
    },
    outbound: {
      allow: [{ name: "web", to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [8443] }],
      trustCluster: false,
      defaultAction: "Reject",
    },
  },
  rateLimits: [
    { name: "new", newConnections: { limit: 10, per: "Minute", burst: 20 } },
    { name: "standing", maxConcurrent: 100, exempt: [{ ipBlock: { cidr: "203.0.113.0/24" } }] },
  ],
  monitoring: {
    listeners: { expected: [{ port: 9100, process: "node_exporter" }, { port: "30000-32767" }] },
    dropLog: { perMinute: 30 },
  },
  audit: { schedule: "0 3 * * *", securityUpdates: { automatic: "Ensure" }, skipProbes: [5432] },
};
