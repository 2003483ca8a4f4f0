import { type Port, portBounds } from "../../api/ports.ts";
import type { HostView } from "../host-view.ts";

/** The ports that the kernel picks from for outbound connections. */
export interface LocalPorts {
  /** `32768-60999`. */
  readonly range: string;
  /** Of the range, without those that are reserved. */
  readonly size: number;
  holds(port: number): boolean;
}

/** Undefined where the kernel does not tell. */
export async function observeLocalPorts(host: HostView): Promise<LocalPorts | undefined> {
  const range = /^(\d+)\s+(\d+)/.exec((await host.readFile("/proc/sys/net/ipv4/ip_local_port_range")) ?? "");
  if (range === null) return undefined;
  const [from, to] = [Number(range[1]), Number(range[2])];
  const reserved = parseReserved(await host.readFile("/proc/sys/net/ipv4/ip_local_reserved_ports")).map((port) => {
    const bounds = portBounds(port);
    return { from: Math.max(bounds.from, from), to: Math.min(bounds.to, to) };
  });
  const taken = reserved.reduce((sum, port) => sum + Math.max(0, port.to - port.from + 1), 0);
  const holds = (port: number) =>
    port >= from && port <= to && !reserved.some((it) => it.from <= port && port <= it.to);
  return { range: `${from}-${to}`, size: to - from + 1 - taken, holds };
}

/** The kernel prints them sorted and joined, so none counts twice. */
function parseReserved(text = ""): Port[] {
  return text
    .trim()
    .split(",")
    .filter((port) => port !== "");
}
