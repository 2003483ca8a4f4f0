import type { Connection, ListeningSocket } from "../sockets.ts";

/** Connections of one kind, counted. */
export interface ConnectionGroup {
  /** Inbound: to one of our listeners. */
  readonly direction: "Inbound" | "Outbound";
  /** Address of the other end. */
  readonly remote: string;
  /** Of the service: ours inbound, theirs outbound. */
  readonly port: number;
  readonly count: number;
}

export interface ConnectionSummary {
  readonly established: number;
  readonly timeWait: number;
  /** Established ones by remote and port, most first. */
  readonly top: readonly ConnectionGroup[];
  /** How many groups are left out of `top`. */
  readonly more: number;
}

const TOP_MAXIMUM = 20;

export function summariseConnections(
  connections: readonly Connection[],
  listening: readonly ListeningSocket[],
): ConnectionSummary {
  const served = new Set(listening.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port));
  const groups = new Map<string, ConnectionGroup & { count: number }>();
  let established = 0;
  let timeWait = 0;
  for (const { local, remote, state } of connections) {
    if (state === "TimeWait") timeWait += 1;
    if (state !== "Established") continue;
    established += 1;
    const direction = served.has(local.port) ? "Inbound" : "Outbound";
    const port = direction === "Inbound" ? local.port : remote.port;
    const key = `${direction} ${remote.address} ${port}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { direction, remote: remote.address, port, count: 1 });
    else group.count += 1;
  }
  const sorted = [...groups].toSorted(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1));
  const top = sorted.slice(0, TOP_MAXIMUM).map(([, group]) => group);
  return { established, timeWait, top, more: groups.size - top.length };
}
