/**
 * What passes before any policy (DESIGN 7.1): losing it means losing the node or the cluster. World-open only where the
 * other end's address cannot be known: inbound a person or a DHCP server, outbound the servers of DNS, DHCP and NTP. The
 * rest only from and to node and API endpoint addresses, because an overlay port that the world reaches bypasses every
 * rule. IPIP, GRE and ICMP are never judged.
 */
import type { Failsafe, Failsafes } from "./node-plan.ts";
import type { PortRange, Protocol } from "./types.ts";

const one = (port: number): PortRange => ({ from: port, to: port });
const ofNodes = (name: string, protocol: Protocol, ...ports: PortRange[]): Failsafe => ({
  name,
  protocol,
  ports,
  peers: "Nodes",
});
const ofAll = (name: string, protocol: Protocol, ...ports: PortRange[]): Failsafe => ({
  name,
  protocol,
  ports,
  peers: "Everybody",
});

const DHCP: readonly Failsafe[] = [
  ofAll("dhcp", "UDP", { from: 67, to: 68 }),
  ofAll("dhcpv6", "UDP", { from: 546, to: 547 }),
];

/** Nodes speak these to each other, so they pass in both directions. */
const BETWEEN_NODES: readonly Failsafe[] = [
  ofNodes("kubelet", "TCP", one(10250)),
  ofNodes("api-server", "TCP", one(6443)),
  ofNodes("etcd", "TCP", { from: 2379, to: 2380 }),
  ofNodes("konnectivity", "TCP", one(8132)),
  ofNodes("bgp", "TCP", one(179)),
  ofNodes("vxlan", "UDP", one(4789)),
  ofNodes("geneve", "UDP", one(6081)),
  ofNodes("vxlan-linux", "UDP", one(8472)),
  ofNodes("wireguard", "UDP", { from: 51820, to: 51821 }),
  ofNodes("wireguard-cilium", "UDP", one(51871)),
  ofNodes("talos", "TCP", { from: 50000, to: 50001 }),
  ofNodes("microk8s-api-server", "TCP", one(16443)),
  ofNodes("microk8s-cluster-agent", "TCP", one(25000)),
  ofNodes("metallb-tcp", "TCP", one(7946)),
  ofNodes("metallb-udp", "UDP", one(7946)),
];

export const DEFAULT_FAILSAFES: Failsafes = {
  inbound: [ofAll("ssh", "TCP", one(22)), ...DHCP, ...BETWEEN_NODES],
  outbound: [
    ofAll("dns-tcp", "TCP", one(53)),
    ofAll("dns-udp", "UDP", one(53)),
    ofAll("ntp", "UDP", one(123)),
    ...DHCP,
    // Managed control planes answer on 443.
    ofNodes("api-server-https", "TCP", one(443)),
    ...BETWEEN_NODES,
  ],
};
