import { publishNodePort, publishServiceAddress } from "../lab/destination-nat.ts";
import type { Host, Node } from "../lab/hosts.ts";
import { ipBatch } from "../lab/ip-batch.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { NetworkNamespace } from "../lab/network-namespace.ts";
import { startTraffic, type Traffic } from "../lab/traffic/traffic.ts";
import {
  FAR_PORTS,
  type Family,
  HOST_PORTS,
  MANY,
  OTHER_UPLINK,
  SERVICES,
  type SenderName,
  SOURCES,
  UNSERVED,
  UPLINKS,
} from "./places.ts";

/** The lab of `places.ts`: a node with three uplinks and pods, and everybody who sends to it or is sent to. */
export interface Network {
  readonly lab: Lab;
  readonly node: Node;
  readonly senders: Readonly<Record<SenderName, Traffic>>;
}

export async function createNetwork(): Promise<Network> {
  const lab = await createLab();
  const node = await lab.node("node");
  const peer = await lab.node("peer");
  const backend = await lab.pod(node, "backend");
  const pod = await lab.pod(node, "pod");
  const peerPod = await lab.pod(peer, "peerpod");
  const sources = [...SOURCES.outside[4].map((it) => `${it}/24`), ...SOURCES.outside[6].map((it) => `${it}/64`)];
  const outside = await lab.client("outside", { sources });
  const [side, wan] = await Promise.all([uplink(lab, node, "side"), uplink(lab, node, "wan")]);
  for (const host of [node, peer, backend, pod, peerPod, outside, side, wan]) await answerSctp(host);

  await publish(node, backend);
  await routeThrough(node, outside, [
    SERVICES.cidr,
    UPLINKS.wan.network,
    { 4: node.podCidrs.ipv4, 6: node.podCidrs.ipv6 },
  ]);
  await routeThrough(node, peer, [SERVICES.cidr, UPLINKS.wan.network]);
  await meanByAnycast(node, outside);
  await listenOnNode(node);
  for (const protocol of ["tcp", "udp"] as const) await (await backend.traffic()).listen(protocol, [8080]);
  const senders = {
    outside: await outside.traffic(),
    peer: await peer.traffic(),
    peerPod: await peerPod.traffic(),
    pod: await pod.traffic(),
    side: await startTraffic(side),
    wan: await startTraffic(wan),
    node: await node.traffic(),
  };
  await Promise.all(
    (["outside", "peer", "peerPod", "pod", "side", "wan"] as const).map((it) => listenFar(senders, it)),
  );
  return { lab, node, senders };
}

/** Whoever gets an INIT says that it speaks no SCTP; the kernel must not count these answers. */
async function answerSctp(host: NetworkNamespace): Promise<void> {
  await host.exec("sysctl", ["-qw", "net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratemask="]);
}

/** UDP on each address of its own, as the node's answers must come from where it asked. */
async function listenFar(senders: Network["senders"], name: Exclude<SenderName, "node">): Promise<void> {
  const addresses = [...SOURCES[name][4], ...SOURCES[name][6], ...(name === "side" ? Object.values(UNSERVED) : [])];
  await senders[name].listen("tcp", FAR_PORTS);
  for (const address of addresses) await senders[name].listen("udp", FAR_PORTS, address);
}

/** UDP on each address of its own: a socket for all of them would answer from the address of the uplink it answers by. */
async function listenOnNode(node: Node): Promise<void> {
  const traffic = await node.traffic();
  await traffic.listen("tcp", HOST_PORTS);
  for (const host of [node.ipv4, node.ipv6]) await traffic.listen("udp", HOST_PORTS, host);
  for (const host of Object.values(OTHER_UPLINK.address)) await traffic.listen("udp", [OTHER_UPLINK.port], host);
  await traffic.listen("udp", [MANY.port]);
}

/** Every router answers for the subnet's anycast address; this host means the node. */
async function meanByAnycast(node: Node, host: Host): Promise<void> {
  const { stdout } = await node.exec("ip", ["-o", "link", "show", "dev", "eth0"]);
  const mac = /link\/ether (\S+)/.exec(stdout)?.[1] ?? "";
  await ipBatch(host.namespace, [`neigh replace ${MANY.address[6]} lladdr ${mac} dev eth0 nud permanent`]);
}

/** NodePorts and services as kube-proxy would have them: to a pod, and to a port of the node itself. */
async function publish(node: Node, backend: Host): Promise<void> {
  for (const family of [4, 6] as const) {
    const address = (host: Host) => (family === 4 ? host.ipv4 : host.ipv6);
    for (const protocol of ["tcp", "udp", "sctp"] as const) {
      const toPod = { protocol, to: { address: address(backend), port: 8080 } };
      const toNode = (port: number) => ({ protocol, to: { address: address(node), port } });
      await publishNodePort(node, { port: SERVICES.nodePort, ...toPod });
      await publishNodePort(node, { port: SERVICES.hostNodePort.port, ...toNode(SERVICES.hostNodePort.leadsTo) });
      await publishServiceAddress(node, SERVICES.vip[family], { port: SERVICES.vipPort, ...toPod });
      const { port, leadsTo } = SERVICES.hostVipPort;
      await publishServiceAddress(node, SERVICES.hostVip[family], { port, ...toNode(leadsTo) });
      const { port: farPort, leadsTo: far } = SERVICES.farVipPort;
      const to = { address: far.address[family], port: far.port };
      await publishServiceAddress(node, SERVICES.farVip[family], { port: farPort, protocol, to });
    }
  }
}

function routeThrough(node: Node, host: Host, networks: readonly Readonly<Record<Family, string>>[]): Promise<void> {
  const via = { 4: node.ipv4, 6: node.ipv6 };
  const routes = networks.flatMap((it) =>
    ([4, 6] as const).map((family) => `route add ${it[family]} via ${via[family]}`),
  );
  return ipBatch(host.namespace, routes);
}

/** A host on a link of its own to the node, whose default route is the node. */
async function uplink(lab: Lab, node: Node, name: "side" | "wan"): Promise<NetworkNamespace> {
  const host = await lab.addNamespace(name);
  const { device, gateway } = UPLINKS[name];
  const length = (family: Family) => (family === 4 ? 25 : 64);
  const families = [4, 6] as const;
  await ipBatch(host.namespace, [
    `link add eth0 type veth peer name ${device} netns ${node.namespace}`,
    "link set eth0 up",
    ...families.flatMap((it) => SOURCES[name][it].map((one) => `addr add ${one}/${length(it)} dev eth0 ${nodad(it)}`)),
    ...(name === "side" ? families.map((it) => `addr add ${UNSERVED[it]} dev eth0 ${nodad(it)}`) : []),
  ]);
  await ipBatch(node.namespace, [
    `link set ${device} up`,
    ...families.map((it) => `addr add ${gateway[it]}/${length(it)} dev ${device} ${nodad(it)}`),
    ...(name === "side" ? families.map((it) => `route add ${UNSERVED[it]} via ${SOURCES.side[it][0]}`) : []),
  ]);
  await ipBatch(host.namespace, [`route add default via ${gateway[4]}`, `route add ::/0 via ${gateway[6]}`]);
  return host;
}

function nodad(family: Family): string {
  return family === 6 ? "nodad" : "";
}
