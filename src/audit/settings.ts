import { type Port, portBounds } from "../api/ports.ts";
import type { ExpectedListener } from "./listeners/expected.ts";
import type { ReachJudge } from "./listeners/reach.ts";

/** What the policies of a node ask its audit. */
export interface AuditSettings {
  readonly protectedPorts: readonly Port[];
  /** Absent: nobody said what is meant to listen. */
  readonly expected?: readonly ExpectedListener[];
  /** Ports that are never connected to. */
  readonly skipProbes: readonly Port[];
  /** Listeners that nobody outside reaches are connected to as well. */
  readonly probeUnreached?: boolean;
  readonly judge: ReachJudge;
}

export const DEFAULT_PROTECTED_PORTS: readonly Port[] = ["1024-65535"];

export function isProtected(port: number, { protectedPorts }: Pick<AuditSettings, "protectedPorts">): boolean {
  return holdsPort(protectedPorts, port);
}

export function holdsPort(ports: readonly Port[], port: number): boolean {
  return ports.map(portBounds).some(({ from, to }) => from <= port && port <= to);
}
