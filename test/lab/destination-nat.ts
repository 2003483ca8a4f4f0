import type { Node } from "./hosts.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import type { Protocol } from "./traffic/protocol.ts";

export interface Publication {
  readonly port: number;
  /** Default tcp. */
  readonly protocol?: Protocol | "sctp";
  /** Without masquerading: the target must answer through this node, so a pod of this node or the node itself. */
  readonly to: { readonly address: string; readonly port: number };
}

/** As kube-proxy does for a NodePort: `port` on any of the node's own addresses leads to `to`. */
export function publishNodePort(node: Node, publication: Publication): Promise<void> {
  return addTranslation(node, "-m addrtype --dst-type LOCAL", publication);
}

/** As kube-proxy does for a ClusterIP or load balancer address: `port` on `address`, which is no address of the node. */
export function publishServiceAddress(node: Node, address: string, publication: Publication): Promise<void> {
  return addTranslation(node, `-d ${address}`, publication);
}

async function addTranslation(namespace: NetworkNamespace, match: string, publication: Publication): Promise<void> {
  const { port, protocol = "tcp", to } = publication;
  const six = to.address.includes(":");
  const target = six ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`;
  const rule = `${match} -p ${protocol} --dport ${port} -j DNAT --to-destination ${target}`;
  const input = ["*nat", `-A PREROUTING ${rule}`, `-A OUTPUT ${rule}`, "COMMIT", ""].join("\n");
  await namespace.exec(six ? "ip6tables-restore" : "iptables-restore", ["--noflush", "--wait", "10"], { input });
}
