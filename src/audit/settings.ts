import type { Practice } from "../api/audit.ts";
import { type Port, portBounds } from "../api/ports.ts";
import type { ExpectedListener } from "./listeners/expected.ts";
import type { ReachJudge } from "./listeners/reach.ts";

/** What the policies of a node ask its audit. */
export interface AuditSettings {
  readonly protectedPorts: readonly Port[];
  /** Of these, those of the policies that look at a practice; absent: all. */
  readonly portsOf?: Readonly<Record<Practice, readonly Port[]>>;
  /** Absent: nobody said what is meant to listen. */
  readonly expected?: readonly ExpectedListener[];
  /** The process that audits, where it listens itself: nobody has to expect that. */
  readonly auditor?: number;
  /** Ports that are never connected to. */
  readonly skipProbes: readonly Port[];
  /** Listeners that nobody outside reaches are connected to as well. */
  readonly probeUnreached?: boolean;
  readonly judge: ReachJudge;
}

export const DEFAULT_PROTECTED_PORTS: readonly Port[] = ["1024-65535"];

/** For a check of the practice: nothing is probed or found on ports whose policies ignore it. */
export function settingsFor(practice: Practice, settings: AuditSettings): AuditSettings {
  return { ...settings, protectedPorts: settings.portsOf?.[practice] ?? settings.protectedPorts };
}

export function isProtected(port: number, { protectedPorts }: Pick<AuditSettings, "protectedPorts">): boolean {
  return holdsPort(protectedPorts, port);
}

export function holdsPort(ports: readonly Port[], port: number): boolean {
  return ports.map(portBounds).some(({ from, to }) => from <= port && port <= to);
}
