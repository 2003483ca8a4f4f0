import type { Connection } from "../sockets.ts";
import { endpointText } from "./endpoint-text.ts";
import type { LocalPorts } from "./local-ports.ts";

export interface RemoteUse {
  /** `192.0.2.7:443`. */
  readonly remote: string;
  /** Different local ports of the range that are taken towards it, from the local address that has most. */
  readonly used: number;
  readonly timeWait: number;
}

/** Most used first. What a client of ours has taken shows as one port each, as its port is the remote one. */
export function portsByRemote(connections: readonly Connection[], ports: Pick<LocalPorts, "holds">): RemoteUse[] {
  const pairs = new Map<string, { readonly remote: string; readonly taken: Set<number>; timeWait: number }>();
  for (const { local, remote, state } of connections) {
    if (!ports.holds(local.port)) continue;
    const key = `${local.address} ${remote.address} ${remote.port}`;
    const pair = pairs.get(key) ?? { remote: endpointText(remote), taken: new Set(), timeWait: 0 };
    pair.taken.add(local.port);
    if (state === "TimeWait") pair.timeWait += 1;
    pairs.set(key, pair);
  }
  const uses = new Map<string, RemoteUse>();
  for (const { remote, taken, timeWait } of pairs.values()) {
    if (taken.size > (uses.get(remote)?.used ?? 0)) uses.set(remote, { remote, used: taken.size, timeWait });
  }
  return [...uses.values()].toSorted((a, b) => b.used - a.used || (a.remote < b.remote ? -1 : 1));
}
