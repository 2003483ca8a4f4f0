import type { ConnectionsState } from "../audit/audit-state.ts";
import { observeConntrack } from "../audit/connections/check-conntrack.ts";
import { observeLocalPorts } from "../audit/connections/local-ports.ts";
import { portsByRemote } from "../audit/connections/ports-by-remote.ts";
import { summariseConnections } from "../audit/connections/summary.ts";
import type { HostView } from "../audit/host-view.ts";
import type { Connection, ListeningSocket } from "../audit/sockets.ts";

/** What status says of connections: counted, and how much room there is for more. */
export async function observeConnections(
  host: HostView,
  connections: readonly Connection[],
  listening: readonly ListeningSocket[],
): Promise<ConnectionsState> {
  const localPorts = await observeLocalPorts(host);
  const conntrack = await observeConntrack(host);
  const [most] = localPorts === undefined ? [] : portsByRemote(connections, localPorts);
  return {
    ...summariseConnections(connections, listening),
    ...(localPorts !== undefined && { localPortsUsedPercent: percent(most?.used ?? 0, localPorts.size) }),
    ...(conntrack !== undefined &&
      conntrack.max > 0 && { conntrackUsedPercent: percent(conntrack.count, conntrack.max) }),
  };
}

/** Never above 100: the range may be narrower than when ports were taken. Without a port to give, all are in use. */
function percent(used: number, size: number): number {
  return size <= 0 ? 100 : Math.min(100, Math.round((used * 100) / size));
}
