/**
 * What passes before any policy, inbound (DESIGN 7.1): losing it means losing the node or the cluster. World-open only
 * where a person or a DHCP server of unknown address must get in; the rest only from node and API endpoint addresses,
 * because an overlay port that the world reaches bypasses every rule. IPIP, GRE and ICMP are never judged.
 */
import type { Failsafe, PortRange, Protocol } from "./types.ts";

const one = (port: number): PortRange => ({ from: port, to: port });
const fromNodes = (name: string, protocol: Protocol, ...ports: PortRange[]): Failsafe => ({
  name,
  protocol,
  ports,
  from: "Nodes",
});

export const DEFAULT_FAILSAFES: readonly Failsafe[] = [
  { name: "ssh", protocol: "TCP", ports: [one(22)], from: "Everybody" },
  { name: "dhcp", protocol: "UDP", ports: [{ from: 67, to: 68 }], from: "Everybody" },
  { name: "dhcpv6", protocol: "UDP", ports: [{ from: 546, to: 547 }], from: "Everybody" },
  fromNodes("kubelet", "TCP", one(10250)),
  fromNodes("api-server", "TCP", one(6443)),
  fromNodes("etcd", "TCP", { from: 2379, to: 2380 }),
  fromNodes("konnectivity", "TCP", one(8132)),
  fromNodes("bgp", "TCP", one(179)),
  fromNodes("vxlan", "UDP", one(4789)),
  fromNodes("geneve", "UDP", one(6081)),
  fromNodes("vxlan-linux", "UDP", one(8472)),
  fromNodes("wireguard", "UDP", { from: 51820, to: 51821 }),
  fromNodes("wireguard-cilium", "UDP", one(51871)),
  fromNodes("talos", "TCP", { from: 50000, to: 50001 }),
  fromNodes("microk8s-api-server", "TCP", one(16443)),
  fromNodes("microk8s-cluster-agent", "TCP", one(25000)),
  fromNodes("metallb-tcp", "TCP", one(7946)),
  fromNodes("metallb-udp", "UDP", one(7946)),
];
