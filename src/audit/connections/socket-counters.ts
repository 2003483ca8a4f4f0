import type { HostView } from "../host-view.ts";

export interface SocketCounters {
  /** TCP sockets of both families that have a port, without those in TIME_WAIT. */
  readonly inUse: number;
  readonly timeWait: number;
}

/** What the kernel counts as it goes (/proc/net/sockstat, sockstat6): costs nothing, however many there are. */
export async function observeSocketCounters(host: HostView): Promise<SocketCounters | undefined> {
  const ipv4 = /^TCP: inuse (\d+) orphan \d+ tw (\d+)/m.exec((await host.readFile("/proc/net/sockstat")) ?? "");
  if (ipv4 === null) return undefined;
  const ipv6 = /^TCP6: inuse (\d+)/m.exec((await host.readFile("/proc/net/sockstat6")) ?? "");
  return { inUse: Number(ipv4[1]) + Number(ipv6?.[1] ?? 0), timeWait: Number(ipv4[2]) };
}

/** No more TCP sockets than these can hold a local port. */
export async function socketsAtMost(host: HostView): Promise<number | undefined> {
  const counters = await observeSocketCounters(host);
  return counters && counters.inUse + counters.timeWait;
}
