/** The two sysctls that hold ports, in the kernel's own text (Documentation/networking/ip-sysctl.rst). */
import { normalisePorts } from "./ports.ts";
import type { PortRange } from "./types.ts";

export const LOCAL_PORT_RANGE = "net.ipv4.ip_local_port_range";
export const LOCAL_RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports";
/** Ports under it are privileged; the kernel refuses a range that begins there. */
export const UNPRIVILEGED_PORT_START = "net.ipv4.ip_unprivileged_port_start";

/** `ip_local_reserved_ports` as the kernel prints it: `50000,50100-50110`; the empty string where nothing is reserved. */
export function formatReservedPorts(ranges: readonly PortRange[]): string {
  return normalisePorts(ranges)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
    .join(",");
}

/** Reads `ip_local_reserved_ports`. Port 0, which the kernel accepts in this bitmap, is no port and is left out. */
export function parseReservedPorts(text: string): PortRange[] {
  const items = text.trim() === "" ? [] : text.trim().split(",");
  const ranges = items.map((item) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(item);
    if (match === null) throw new RangeError(`"${item}" in ${LOCAL_RESERVED_PORTS} is not a port or a range of ports`);
    return { from: Math.max(1, Number(match[1])), to: Number(match[2] ?? match[1]) };
  });
  return normalisePorts(ranges.filter(({ from, to }) => from <= to));
}

/** Reads `ip_local_port_range`: two numbers with white space between. Throws RangeError on anything else. */
export function parseLocalPortRange(text: string): PortRange {
  const match = /^(\d+)\s+(\d+)$/.exec(text.trim());
  if (match === null) throw new RangeError(`"${text.trim()}" is not a value of ${LOCAL_PORT_RANGE}`);
  return { from: Number(match[1]), to: Number(match[2]) };
}
