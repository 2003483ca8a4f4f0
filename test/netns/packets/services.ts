import { publishNodePort, publishServiceAddress } from "../../lab/destination-nat.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { clusterGroup } from "./enforcer.ts";

export const vip = "198.19.240.10";
export const hostVip = "198.19.240.11";
const serviceCidr = "198.19.240.0/20";

/** What the controller publishes of them. */
export const serviceGroups = [
  clusterGroup("vips", [`${vip}/32`, `${hostVip}/32`]),
  clusterGroup("service-cidrs", [serviceCidr]),
];

/** NodePort 30080 and `vip`:8080 lead to the pod's 8080, `hostVip`:80 to the node's own 8443; the client has routes to all of them. */
export async function publishServices(node: Node, pod: Host, client: Host): Promise<void> {
  const inPod = { address: pod.ipv4, port: 8080 };
  await publishNodePort(node, { port: 30080, to: inPod });
  await publishServiceAddress(node, vip, { port: 8080, to: inPod });
  await publishServiceAddress(node, hostVip, { port: 80, to: { address: node.ipv4, port: 8443 } });
  for (const prefix of [serviceCidr, node.podCidrs.ipv4])
    await client.exec("ip", ["route", "add", prefix, "via", node.ipv4]);
}
