import { setTimeout as sleep } from "node:timers/promises";
import type { HostView } from "../audit/host-view.ts";
import { observeInterfaces } from "../audit/listeners/interfaces.ts";
import { isLoopback } from "../audit/listeners/reach.ts";
import type { Connection, SocketReader } from "../audit/sockets.ts";
import { ToolMissingError } from "../kernel/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type NodeNetwork, openingsOf, type ServiceAddresses, type TrackedConnection } from "../plan/connections.ts";
import { judge } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { parseAddress, prefixLookup } from "../plan/prefix-lookup.ts";
import type { Flow, Gap, NodeUse } from "../preview/types.ts";
import { listenerSight } from "./listener-sight.ts";

/** A resolver's socket is gone by then. */
const SECOND_LOOK_MILLISECONDS = 500;

export interface UseReaders {
  readonly kernel: Pick<Kernel, "network" | "connections" | "sysctls">;
  readonly host: HostView;
  readonly sockets: SocketReader;
}

/** Who uses this host, read from its kernel. `plan` knows the service addresses. Reads only; needs root. */
export async function observeUse({ kernel, host, sockets }: UseReaders, plan: NodePlan): Promise<NodeUse> {
  const sight = listenerSight(host, sockets);
  await sight.observe();
  await sleep(SECOND_LOOK_MILLISECONDS);
  const { all, unreadable } = await sight.observe();
  const network = await kernel.network();
  const flows = flowCount(network, servicesOf(plan));
  const tracked = new Set<string>();
  const untracked = await seeTracked(kernel, (connection) => {
    flows.see(connection);
    if (connection.protocol === "TCP") for (const key of socketsOf(connection)) tracked.add(key);
  });
  for (const { local, remote, state } of await sockets.connections()) {
    // What conntrack knows it tells better: what was asked for before a translation.
    if (state === "Established" && !tracked.has(tuple(local, remote))) flows.see(ofSocket({ local, remote }));
  }
  const gaps: Gap[] = [
    ...(untracked ? [gap("UdpNotTracked")] : []),
    ...(unreadable > 0 ? [gap("ProcessesHidden", unreadable)] : []),
    gap("NoServicesAndPods"),
  ];
  return {
    places: all
      .filter(({ address }) => !isLoopback(address))
      .map(({ protocol, address, port, process }) => {
        return { kind: "Listener", protocol, address, port, ...(process !== undefined && { name: process.name }) };
      }),
    flows: flows.found(),
    flowsComplete: !untracked,
    devices: await observeInterfaces(host),
    gaps,
  };
}

function gap(reason: Gap["reason"], count?: number): Gap {
  return count === undefined ? { reason } : { reason, count };
}

/** True where conntrack knows nothing of what is under way. */
async function seeTracked(
  kernel: UseReaders["kernel"],
  visit: (connection: TrackedConnection) => void,
): Promise<boolean> {
  const count = "net.netfilter.nf_conntrack_count";
  const active = Number((await kernel.sysctls([count])).get(count) ?? 0) > 0;
  try {
    await kernel.connections(visit);
  } catch (error) {
    // Said as a gap: sockets tell of all TCP of the host's own.
    if (error instanceof ToolMissingError) return true;
    throw error;
  }
  return !active;
}

function servicesOf(plan: NodePlan): ServiceAddresses {
  const { holds } = judge(plan);
  const inOrigins = prefixLookup(plan.vipCidrs);
  return {
    isVip: (family, address) => holds(plan.vips, family, address),
    isVipOrigin: (address) => inOrigins(parseAddress(address)),
  };
}

/** In the form of conntrack, seen from the end that is here. */
function ofSocket({ local, remote }: Ends): TrackedConnection {
  return {
    family: local.address.includes(":") ? 6 : 4,
    protocol: "TCP",
    source: local.address,
    sourcePort: local.port,
    destination: remote.address,
    destinationPort: remote.port,
    replySource: remote.address,
    replySourcePort: remote.port,
  };
}

type Ends = Pick<Connection, "local" | "remote">;

function tuple(local: Ends["local"], remote: Ends["remote"]): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

/** How a socket of this host may name it: at either end, before or behind a translation. */
function socketsOf(connection: TrackedConnection): string[] {
  const source = { address: connection.source, port: connection.sourcePort };
  const asked = { address: connection.destination, port: connection.destinationPort };
  const answers = { address: connection.replySource, port: connection.replySourcePort };
  return [tuple(source, asked), tuple(answers, source), tuple(asked, source)];
}

/** Adds up what is judged alike. */
function flowCount(network: NodeNetwork, services: ServiceAddresses) {
  const counts = new Map<string, Flow & { connections: number }>();
  return {
    see(connection: TrackedConnection): void {
      const openings = openingsOf(connection, network, services);
      const [first] = openings;
      if (first === undefined) return;
      const key = openings
        .map(({ direction, protocol, peer, port, local }) => [direction, protocol, peer, port, local].join(" "))
        .join(" | ");
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { openings, device: network.interfaceOf(first.peer), connections: 1 });
      else known.connections += 1;
    },
    found: (): Flow[] => [...counts.values()],
  };
}
