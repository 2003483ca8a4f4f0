/** Which pod a listener belongs to: agents see its uid, the API server knows its name. */
import type { ListenersStatus } from "../api/audit-status.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import type { Finding } from "./node-happenings.ts";

/** A kubelet runs some 110 pods; what is over the bound stays without a name. */
const PODS_MAX = 500;
/** A static pod runs under a uid that the kubelet made; its mirror in the API carries that in this annotation. */
const STATIC_POD_UID = "kubernetes.io/config.hash";

/** `namespace/name` by uid, of the pods that are bound to `node`. One request. */
export async function podNamesOn(
  client: KubeClient,
  node: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const select = { fieldSelector: `spec.nodeName=${node}`, limit: PODS_MAX, metadataOnly: true };
  const { items } = await client.list(resources.pods, select, signal);
  return new Map(items.flatMap((pod) => uidsOf(pod).map((uid) => [uid, nameOf(pod)] as const)));
}

/** uid of the pod that the finding is about: that of the listener whose name is its subject. */
export function podUidOf({ subject, port }: Finding, listeners: ListenersStatus | undefined): string | undefined {
  if (port === undefined) return undefined;
  const named = listeners?.top.find((listener) => listener.port === port && isAbout(subject, listener));
  return named?.podUid;
}

/** A subject names protocol, address and port first: `tcp [::]:6379 redis-server`. */
function isAbout(subject: string, { protocol, address, port }: ListenersStatus["top"][number]): boolean {
  const place = address.includes(":") ? `[${address}]` : address;
  const name = `${protocol} ${place}:${port}`.toLowerCase();
  const text = subject.toLowerCase();
  return text === name || text.startsWith(`${name} `);
}

function uidsOf({ metadata: { uid, annotations } }: KubeObject): string[] {
  return [uid, annotations?.[STATIC_POD_UID]].filter((known) => known !== undefined);
}

function nameOf({ metadata: { namespace, name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
