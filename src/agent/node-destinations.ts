/** What the node itself must reach, as its own files say: API servers and resolvers. */
import { isIP } from "node:net";
import type { HostView } from "../audit/host-view.ts";
import { DNS_OVER_TLS_PORT, type FoundFact } from "../plan/found-failsafes.ts";
import { compareText } from "../plan/text-order.ts";

/** All addresses of a host name. */
export type Resolve = (hostName: string) => Promise<readonly string[]>;

/** Where kubelets keep how they reach the API server: kubeadm, the big clouds, k3s, RKE2, MicroK8s. */
const KUBELET_FILES = [
  "/etc/kubernetes/kubelet.conf",
  "/var/lib/kubelet/kubeconfig",
  "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
  "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
  "/var/snap/microk8s/current/credentials/kubelet.config",
];

/** Of systemd-resolved the servers behind its stub, which is a loopback address. */
const RESOLVER_FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
/** Far more than resolvers use (resolv.conf(5): three), or a name in front of API servers has. */
const ADDRESSES_MAX = 16;

/**
 * The API server as this agent and the node's kubelet reach it. Throws where a name is not to be resolved: then what was
 * known of it stays.
 */
export async function observeApiServers(
  host: HostView,
  agentsServer: string | undefined,
  resolve: Resolve,
): Promise<readonly FoundFact[]> {
  const used = new Map<string, string>();
  for (const path of KUBELET_FILES) {
    // Of the file nothing but this line is kept: it may hold a key.
    const text = (await host.readFile(path)) ?? "";
    for (const [, server = ""] of text.matchAll(/^[ \t-]*server:[ \t]*["']?(https?:\/\/[^\s"']+)/gm))
      used.set(server, `kubelet's ${path}`);
  }
  if (agentsServer !== undefined && !used.has(agentsServer)) used.set(agentsServer, "the agent's own way");
  const facts: FoundFact[] = [];
  for (const [server, whose] of used) {
    const place = placeOf(server);
    if (place === undefined) continue;
    const addresses = isIP(place.host) === 0 ? await resolve(place.host) : [place.host];
    // Resolvers rotate what they answer.
    for (const address of addresses.filter(isElsewhere).toSorted(compareText).slice(0, ADDRESSES_MAX))
      facts.push({ kind: "ApiServer", port: place.port, address, evidence: `${whose}: ${place.host}:${place.port}` });
  }
  return facts;
}

/** The resolvers, for DNS over TLS: port 53 is open to everybody. */
export async function observeResolvers(host: HostView): Promise<readonly FoundFact[]> {
  const found = new Map<string, FoundFact>();
  for (const path of RESOLVER_FILES) {
    const text = (await host.readFile(path)) ?? "";
    for (const [, server = ""] of text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)) {
      const address = server.split("%")[0] ?? "";
      if (found.has(address) || !isElsewhere(address)) continue;
      found.set(address, { kind: "Resolver", port: DNS_OVER_TLS_PORT, address, evidence: path });
    }
  }
  return [...found.values()].slice(0, ADDRESSES_MAX);
}

/** Undefined where it is no URL. */
export function placeOf(server: string): { readonly host: string; readonly port: number } | undefined {
  if (!URL.canParse(server)) return undefined;
  const { hostname, port, protocol } = new URL(server);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (protocol === "http:" ? 80 : 443) };
}

/** Loopback is never judged. */
function isElsewhere(address: string): boolean {
  return isIP(address) !== 0 && !/^(?:127\.|0\.0\.0\.0$|::1?$)/.test(address);
}
