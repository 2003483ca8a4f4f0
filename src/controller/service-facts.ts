import type { KubeObject } from "../kube/types.ts";
import type { PortRange } from "../plan/types.ts";
import { type AddressFacts, parseServiceAddresses } from "./cluster-addresses.ts";
import { fieldAt, recordsAt } from "./wire-fields.ts";

/** What the controller keeps of a Service. */
export interface ServiceFacts {
  readonly addresses: AddressFacts;
  /** `namespace/name 20080`: NodePorts that are outside of the range that the install names. */
  readonly strayNodePorts: readonly string[];
}

export function parseService(object: KubeObject, { from, to }: PortRange): ServiceFacts {
  const { namespace = "default", name } = object.metadata;
  const spec = fieldAt(object, "spec");
  const ports = [...recordsAt(spec, "ports").map(({ nodePort }) => nodePort), fieldAt(spec, "healthCheckNodePort")];
  const strays = ports.filter((port) => typeof port === "number" && port !== 0 && (port < from || port > to));
  return {
    addresses: parseServiceAddresses(object),
    strayNodePorts: strays.map((port) => `${namespace}/${name} ${String(port)}`),
  };
}
