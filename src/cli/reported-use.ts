import type { ConnectionsStatus, ListenersStatus } from "../api/audit-status.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import { isLoopback } from "../audit/listeners/reach.ts";
import type { Flow, Gap, NodeUse, Place } from "../preview/types.ts";

/** What the API server knows of who uses a node. */
export interface ReportedFacts {
  /** undefined: no agent has written any. */
  readonly status: NodeStateStatus | undefined;
  /** The node's own addresses. */
  readonly addresses: readonly string[];
  /** Declared by Services and pods. */
  readonly declared: readonly Place[];
  /** `namespace/name` of pods by their uid. */
  readonly pods: ReadonlyMap<string, string>;
}

/**
 * Agents report the first twenty of their listeners and of the groups of TCP connections of the node's own processes, at the
 * time of their latest audit. All that this leaves out is told as a gap.
 */
export function reportedUse({ status, addresses, declared, pods }: ReportedFacts): NodeUse {
  const { listeners, connections } = status ?? {};
  const gaps: Gap[] = [
    ...(status === undefined ? [{ reason: "NotReported" as const }] : []),
    ...(status !== undefined && (listeners === undefined || connections === undefined)
      ? [{ reason: "NotAudited" as const }]
      : []),
    ...(status !== undefined && (status.failsafes ?? []).length === 0
      ? [{ reason: "FailsafesNotReported" as const }]
      : []),
    ...leftOut("ListenersLeftOut", (listeners?.count ?? 0) - (listeners?.top.length ?? 0)),
    ...leftOut("ConnectionsLeftOut", missing(connections)),
    ...(connections === undefined ? [] : [{ reason: "OnlyTcpOfTheNode" as const }]),
  ];
  return {
    places: [...(listeners?.top ?? []).flatMap((one) => listenerPlace(one, pods)), ...declared],
    flows: (connections?.top ?? []).flatMap((one) => flowOf(one, addresses)),
    flowsComplete: connections !== undefined && missing(connections) === 0,
    gaps,
  };
}

function leftOut(reason: Gap["reason"], count: number): Gap[] {
  return count > 0 ? [{ reason, count }] : [];
}

function missing(connections: ConnectionsStatus | undefined): number {
  if (connections === undefined) return 0;
  return connections.established - connections.top.reduce((sum, one) => sum + one.connections, 0);
}

function listenerPlace(
  { protocol, address, port, process, podUid = "" }: ListenersStatus["top"][number],
  pods: ReadonlyMap<string, string>,
): Place[] {
  if (isLoopback(address)) return [];
  const pod = pods.get(podUid);
  const name = [process, pod === undefined ? undefined : `of pod ${pod}`]
    .filter((part) => part !== undefined)
    .join(" ");
  return [{ kind: "Listener", protocol, address, port, ...(name !== "" && { name }) }];
}

/** What a node has with itself goes by loopback. */
function flowOf(
  { direction, peer, port, connections }: ConnectionsStatus["top"][number],
  addresses: readonly string[],
): Flow[] {
  if (isLoopback(peer) || addresses.includes(peer) || connections === 0) return [];
  const family = peer.includes(":") ? 6 : 4;
  return [{ openings: [{ direction, family, protocol: "TCP", peer, port, local: "" }], connections }];
}
