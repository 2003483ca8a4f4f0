import { parsePortItem } from "./ports.ts";
import type { PortRange } from "./types.ts";

/**
 * What kube-apiserver gives to Services of type NodePort unless its --service-node-port-range says otherwise. Kubernetes
 * publishes that flag nowhere in its API, so an install that has set it must tell the controller too.
 */
export const DEFAULT_NODE_PORT_RANGE: PortRange = { from: 30000, to: 32767 };

/** `30000-32767`, or `30000+2767` as kube-apiserver takes it too. Throws RangeError. */
export function parseNodePortRange(text: string): PortRange {
  const [, base, size] = /^(\d{1,5})\+(\d{1,5})$/.exec(text) ?? [];
  return parsePortItem(base === undefined ? text : `${base}-${Number(base) + Number(size)}`);
}
