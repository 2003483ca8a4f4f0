import ipaddr from "ipaddr.js";
import { ipBatch } from "./ip-batch.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { startTraffic, type Traffic } from "./traffic/traffic.ts";

/** A machine of the lab: a network namespace with eth0. */
export interface Host extends NetworkNamespace {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** This host's traffic process; started at the first call. */
  traffic(): Promise<Traffic>;
}

/** Forwards between eth0 and its pods; all nodes route to each other's pods, natively. */
export interface Node extends Host {
  readonly podCidrs: { readonly ipv4: string; readonly ipv6: string };
}

export interface HostOptions {
  /** On the bridge, inside 198.18.0.0/16 and 2001:db8:18::/64. Default: the next free one. */
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** Further addresses with prefix (`203.0.113.7/24`), to connect from; all others of the lab reach the prefix on-link. */
  readonly sources?: readonly string[];
}

export interface Hosts {
  /** 198.18.0.11, .12, ...; pods in 198.19.1.0/24, 198.19.2.0/24, ... and 2001:db8:19:1::/64, ... */
  node(name: string, options?: HostOptions): Promise<Node>;
  /** 198.18.0.201, .202, ...: outside the cluster. */
  client(name: string, options?: HostOptions): Promise<Host>;
  /** A pod beneath a node, behind the node's interface cali<n>. */
  pod(node: Node, name?: string): Promise<Host>;
}

interface Place {
  readonly root: NetworkNamespace;
  readonly gateway: { readonly ipv4: string; readonly ipv6: string };
  addNamespace(name: string): Promise<NetworkNamespace>;
}

/** Hosts on the bridge `lab0` in the place's root namespace, each with a veth there that bears the host's name. */
export function createHosts(place: Place): Hosts {
  const onBridge: { readonly namespace: string; readonly device: string; readonly routesToPods: boolean }[] = [];
  onBridge.push({ namespace: place.root.namespace, device: "lab0", routesToPods: true });
  const sourcePrefixes = new Set<string>();
  const podRoutes: string[] = [];
  const counts = { nodes: 0, clients: 0, pods: 0 };

  const attach = async (
    name: string,
    address: { ipv4: string; ipv6: string },
    sources: readonly string[],
    node: boolean,
  ) => {
    const namespace = await place.addNamespace(name);
    await setSysctls(namespace, node);
    const to = namespace.namespace;
    await ipBatch(place.root.namespace, [
      `link add ${name} type veth peer name eth0 netns ${to}`,
      `link set ${name} master lab0 up`,
    ]);
    const prefixes = new Set(sources.map(networkOf));
    await ipBatch(to, [
      "link set eth0 up",
      `addr add ${address.ipv4}/16 dev eth0`,
      `addr add ${address.ipv6}/64 dev eth0 nodad`,
      ...sources.map((source) => `addr add ${source} dev eth0 ${source.includes(":") ? "nodad" : ""}`),
      // Through the bridge: nothing forwards there, but service addresses become routable (kube-proxy needs that).
      `route add default via ${place.gateway.ipv4}`,
      `route add ::/0 via ${place.gateway.ipv6}`,
      ...[...sourcePrefixes]
        .filter((prefix) => !prefixes.has(prefix))
        .map((prefix) => `route replace ${prefix} dev eth0`),
      ...(node ? podRoutes : []),
    ]);
    for (const prefix of prefixes) {
      if (sourcePrefixes.has(prefix)) continue;
      sourcePrefixes.add(prefix);
      for (const host of onBridge) await ipBatch(host.namespace, [`route replace ${prefix} dev ${host.device}`]);
    }
    return namespace;
  };

  return {
    async node(name, options = {}) {
      counts.nodes += 1;
      const index = counts.nodes;
      const address = {
        ipv4: options.ipv4 ?? `198.18.0.${10 + index}`,
        ipv6: options.ipv6 ?? `2001:db8:18::${10 + index}`,
      };
      const podCidrs = { ipv4: `198.19.${index}.0/24`, ipv6: `2001:db8:19:${index}::/64` };
      const namespace = await attach(name, address, options.sources ?? [], true);
      const routes = [
        `route add ${podCidrs.ipv4} via ${address.ipv4}`,
        `route add ${podCidrs.ipv6} via ${address.ipv6}`,
      ];
      for (const host of onBridge) if (host.routesToPods) await ipBatch(host.namespace, routes);
      podRoutes.push(...routes);
      onBridge.push({ namespace: namespace.namespace, device: "eth0", routesToPods: true });
      return { ...hostOn(namespace, name, address), podCidrs };
    },

    async client(name, options = {}) {
      counts.clients += 1;
      const last = 200 + counts.clients;
      const address = { ipv4: options.ipv4 ?? `198.18.0.${last}`, ipv6: options.ipv6 ?? `2001:db8:18::${last}` };
      const namespace = await attach(name, address, options.sources ?? [], false);
      onBridge.push({ namespace: namespace.namespace, device: "eth0", routesToPods: false });
      return hostOn(namespace, name, address);
    },

    async pod(node, name) {
      counts.pods += 1;
      const index = counts.pods;
      const namespace = await place.addNamespace(name ?? `pod${index}`);
      const address = inPodCidrs(node, index + 1);
      const gateway = inPodCidrs(node, 1);
      const device = `cali${index}`;
      await setSysctls(namespace, false);
      await ipBatch(node.namespace, [
        `link add ${device} type veth peer name eth0 netns ${namespace.namespace}`,
        `link set ${device} up`,
        `addr add ${gateway.ipv4}/32 dev ${device}`,
        `addr add fe80::1/64 dev ${device} nodad`,
        `route add ${address.ipv4}/32 dev ${device}`,
        `route add ${address.ipv6}/128 dev ${device}`,
      ]);
      await ipBatch(namespace.namespace, [
        "link set eth0 up",
        `addr add ${address.ipv4}/32 dev eth0`,
        `addr add ${address.ipv6}/128 dev eth0 nodad`,
        `route add ${gateway.ipv4}/32 dev eth0`,
        `route add default via ${gateway.ipv4} dev eth0`,
        "route add ::/0 via fe80::1 dev eth0",
      ]);
      return hostOn(namespace, name ?? `pod${index}`, address);
    },
  };
}

function hostOn(namespace: NetworkNamespace, name: string, address: { ipv4: string; ipv6: string }): Host {
  let traffic: Promise<Traffic> | undefined;
  return { ...namespace, name, ...address, traffic: () => (traffic ??= startTraffic(namespace)) };
}

async function setSysctls(namespace: NetworkNamespace, forwards: boolean): Promise<void> {
  // Reverse path filters are inherited from the machine; a lab must not depend on its settings.
  const settings = ["net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"];
  if (forwards) settings.push("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  await namespace.exec("sysctl", ["-qw", ...settings]);
}

function inPodCidrs(node: Node, index: number): { ipv4: string; ipv6: string } {
  return {
    ipv4: node.podCidrs.ipv4.replace(/0\/24$/, `${index}`),
    ipv6: node.podCidrs.ipv6.replace(/\/64$/, index.toString(16)),
  };
}

function networkOf(source: string): string {
  const [, bits] = ipaddr.parseCIDR(source);
  const network = source.includes(":")
    ? ipaddr.IPv6.networkAddressFromCIDR(source)
    : ipaddr.IPv4.networkAddressFromCIDR(source);
  return `${network.toString()}/${bits}`;
}
