import { publishNodePort, publishServiceAddress } from "../../lab/destination-nat.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import type { Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";

/** A Service's address: port 80 leads to the node's own 8443. */
export const vip = "198.19.240.10";
const serviceCidr = "198.19.240.0/20";

/** What the controller publishes of it. */
export const serviceGroups = [clusterGroup("vips", [`${vip}/32`]), clusterGroup("service-cidrs", [serviceCidr])];

export interface ConnectedNode {
  readonly node: Node;
  readonly client: Host;
  /** On the node: 22/tcp, 8443/tcp and 8443/udp listen. */
  readonly inside: Traffic;
  /** On the client: 9443/tcp listens. */
  readonly outside: Traffic;
  readonly enforcer: Enforcer;
}

/** A node for connections that are open before a policy comes. NodePort 30080 leads to a pod's 8080. */
export async function connectedNode(lab: Lab, sources: readonly string[]): Promise<ConnectedNode> {
  const node = await lab.node("node");
  const pod = await lab.pod(node, "pod");
  const client = await lab.client("outside", { sources });
  const [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  await inside.listen("tcp", [22, 8443]);
  await inside.listen("udp", [8443]);
  await (await pod.traffic()).listen("tcp", [8080]);
  await outside.listen("tcp", [9443]);
  await publishNodePort(node, { port: 30080, to: { address: pod.ipv4, port: 8080 } });
  await publishServiceAddress(node, vip, { port: 80, to: { address: node.ipv4, port: 8443 } });
  await client.exec("ip", ["route", "add", serviceCidr, "via", node.ipv4]);
  const enforcer = await createEnforcer(node);
  // As in a cluster, where the CNI and kube-proxy need it: conntrack sees all from the beginning.
  for (const tool of ["iptables-nft", "ip6tables-nft"])
    await node.exec(tool, ["-t", "filter", "-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED", "-j", "ACCEPT"]);
  return { node, client, inside, outside, enforcer };
}
