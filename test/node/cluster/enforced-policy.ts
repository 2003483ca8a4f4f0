import type { ClusterToInstallInto } from "./cluster-to-install-into.ts";
import type { Claim } from "./packet-stream.ts";
import { hostWebAddress, hostWebPort, hostWebServicePort, nodePort } from "./servers.ts";

export const office = "203.0.113.7";
export const stranger = "198.51.100.9";
export const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "workers" },
  spec: {
    mode: "Enforce",
    ephemeralPorts: { range: "49152-65535", reserved: [50000], persist: true },
    sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" },
    firewall: {
      inbound: {
        allow: [
          { name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [hostWebPort, "30000-32767"] },
        ],
        defaultAction: "Drop",
      },
    },
    rateLimits: [{ name: "per-source", newConnections: { limit: 1000, per: "Second", burst: 1000 } }],
  },
};

/** Who reaches what while the policy is enforced. */
export function claims({ first, second }: ClusterToInstallInto): readonly Claim[] {
  const places = [
    { to: first.ipv4, port: hostWebPort },
    { to: first.ipv4, port: nodePort },
    { to: second.ipv4, port: nodePort },
    { to: hostWebAddress, port: hostWebServicePort },
  ];
  return places.flatMap((place) => [
    { ...place, from: office, outcome: "connected" as const },
    { ...place, from: stranger, outcome: "timeout" as const },
  ]);
}
