import { type ConnectionsStatus, type ListenersStatus, TOP_MAX } from "../api/audit-status.ts";
import { clipText } from "../api/condition.ts";
import type { ConnectionsState, ListenerState } from "../audit/audit-state.ts";
import { listenerName } from "../audit/listeners/listener.ts";

type ListenerStatus = ListenersStatus["top"][number];

const CGROUP_MAX = 128;

/**
 * `areExpected`: whether some policy says which listeners are expected; `spoken`: what listeners speak, by name. Several
 * sockets that look the same (one for each worker of a server) are one listener.
 */
export function listenersStatus(
  states: readonly ListenerState[],
  { areExpected, spoken }: { readonly areExpected: boolean; readonly spoken: ReadonlyMap<string, string> },
): ListenersStatus {
  const statuses = states.map((state) => listenerStatus(state, spoken.get(listenerName(state))));
  const told = new Map(statuses.map((status) => [JSON.stringify(status), status]));
  const all = [...told.values()].toSorted(byUrgency);
  return {
    count: all.length,
    ...(areExpected && { unexpected: all.filter(({ expected }) => expected === false).length }),
    top: all.slice(0, TOP_MAX),
  };
}

function listenerStatus(
  { protocol, address, port, process, reach, expected, since }: ListenerState,
  speaks: string | undefined,
): ListenerStatus {
  return {
    protocol,
    address,
    port,
    ...(process !== undefined && {
      process: clipText(process.name, 64),
      ...(Number.isInteger(process.uid) && { user: process.uid }),
      cgroup: endOf(process.cgroup),
      ...(process.containerId !== undefined && { containerId: process.containerId }),
      ...(process.podUid !== undefined && { podUid: process.podUid }),
    }),
    reach,
    ...(speaks !== undefined && { speaks: clipText(speaks, 128) }),
    ...(expected !== undefined && { expected }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
  };
}

function byUrgency(a: ListenerStatus, b: ListenerStatus): number {
  const unexpectedFirst = Number(b.expected === false) - Number(a.expected === false);
  return unexpectedFirst || a.port - b.port || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

/** The end tells more than the beginning. */
function endOf(cgroup: string): string {
  return cgroup.length <= CGROUP_MAX ? cgroup : `…${cgroup.slice(1 - CGROUP_MAX)}`;
}

export function connectionsStatus(state: ConnectionsState): ConnectionsStatus {
  const { established, timeWait, localPortsUsedPercent, conntrackUsedPercent, top } = state;
  return {
    established,
    timeWait,
    ...(localPortsUsedPercent !== undefined && { localPortsUsedPercent }),
    ...(conntrackUsedPercent !== undefined && { conntrackUsedPercent }),
    top: top.slice(0, TOP_MAX).map(({ direction, remote, port, count }) => ({
      direction,
      peer: clipText(remote, 64),
      port,
      connections: count,
    })),
  };
}
