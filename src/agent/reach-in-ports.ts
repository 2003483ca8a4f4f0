import type { ListeningPort } from "../kernel/kernel.ts";
import type { Failsafe } from "../plan/node-plan.ts";
import type { PortRange } from "../plan/types.ts";

/** One would do to see that the way is open; a few, as each server has rules and interfaces of its own. */
const PORTS_MAX = 4;

export interface ReachInPortsOptions {
  /** Inbound. */
  readonly failsafes: readonly Pick<Failsafe, "protocol" | "ports">[];
  /** Ports that are never connected to. */
  readonly skipped: readonly PortRange[];
  readonly listening: readonly ListeningPort[];
}

/**
 * Ports that peers are asked to connect to: those that no policy may close (SSH, kubelet, what the install and the node
 * itself add) and on which something listens. Pure.
 */
export function reachInPorts({ failsafes, skipped, listening }: ReachInPortsOptions): number[] {
  const open = listening.flatMap(({ protocol, port }) => (protocol === "TCP" ? [port] : [])).sort((a, b) => a - b);
  const kept = failsafes.filter(({ protocol }) => protocol === "TCP").flatMap(({ ports }) => ports);
  const isIn = (ranges: readonly PortRange[], port: number) =>
    ranges.some(({ from, to }) => from <= port && port <= to);
  return open.filter((port) => isIn(kept, port) && !isIn(skipped, port)).slice(0, PORTS_MAX);
}
