/** New connections by what their first packet shows: the values that rules are followed with. */
import { subtractCidrs } from "../plan/cidrs.ts";
import { coversInterface } from "../plan/interfaces.ts";
import { subtractPorts } from "../plan/ports.ts";
import type { PortRange, Protocol } from "../plan/types.ts";

/** Undefined members leave that open. */
export interface NewConnections {
  readonly protocols: readonly Protocol[];
  readonly ports: readonly PortRange[];
  readonly sourcePorts: readonly PortRange[];
  readonly source?: readonly string[];
  readonly destination?: readonly string[];
  /** Pattern of the interface by which the hook's traffic comes or goes. */
  readonly interface?: string;
  /** The other end is in some set of addresses. */
  readonly inSet: boolean;
}

const ALL_PORTS: readonly PortRange[] = [{ from: 1, to: 65535 }];
export const ALL_CONNECTIONS: NewConnections = {
  protocols: ["TCP", "UDP", "SCTP"],
  ports: ALL_PORTS,
  sourcePorts: ALL_PORTS,
  inSet: false,
};

export function asCidr(address: string): string {
  return address.includes("/") ? address : `${address}/${address.includes(":") ? 128 : 32}`;
}

/** What is in both; undefined: nothing. */
export function meet(a: NewConnections, b: NewConnections): NewConnections | undefined {
  const protocols = a.protocols.filter((protocol) => b.protocols.includes(protocol));
  const ports = subtractPorts(a.ports, subtractPorts(a.ports, b.ports));
  const sourcePorts = subtractPorts(a.sourcePorts, subtractPorts(a.sourcePorts, b.sourcePorts));
  const source = meetAddresses(a.source, b.source);
  const destination = meetAddresses(a.destination, b.destination);
  const patterns = [a.interface, b.interface].filter((pattern) => pattern !== undefined);
  const narrowest = patterns.toSorted((one, other) => (coversInterface(one, other) ? 1 : -1))[0];
  const apart = patterns.some((pattern) => narrowest !== undefined && !coversInterface(pattern, narrowest));
  const empty = [protocols, ports, sourcePorts, source, destination].some((list) => list?.length === 0);
  if (empty || apart) return undefined;
  return {
    protocols,
    ports,
    sourcePorts,
    inSet: a.inSet || b.inSet,
    ...(source === undefined ? {} : { source }),
    ...(destination === undefined ? {} : { destination }),
    ...(narrowest === undefined ? {} : { interface: narrowest }),
  };
}

function meetAddresses(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return subtractCidrs(a, subtractCidrs(a, b));
}
