import type { Practice } from "../api/audit.ts";
import type { ConnectionSummary } from "./connections/summary.ts";
import type { CheckResult, Finding } from "./finding.ts";
import type { Listener } from "./listeners/listener.ts";
import type { Reach } from "./listeners/reach.ts";

/** The latest result of a check. */
export interface CheckState {
  readonly name: string;
  readonly practice: Practice;
  /** When it last looked, ms since 1970. */
  readonly at: number;
  readonly result: CheckResult;
}

/** A finding as it stands: told apart by check, id and subject. */
export interface StandingFinding extends Finding {
  readonly check: string;
  readonly practice: Practice;
  /** When it was first seen, ms since 1970. */
  readonly since: number;
}

export interface ListenerState extends Listener {
  readonly reach: Reach;
  /** When it was first seen, ms since 1970; absent until it was recorded. */
  readonly since?: number;
  /** Absent: nobody says which listeners are expected. */
  readonly expected?: boolean;
}

export interface ConnectionsState extends ConnectionSummary {
  /** Most local ports in use towards one destination; absent: the kernel tells no range. */
  readonly localPortsUsedPercent?: number;
  /** Absent: nothing is tracked, or without a bound. */
  readonly conntrackUsedPercent?: number;
}

/** All that an agent knows from its audits: what status, report, metrics and log are made of. */
export interface AuditState {
  /** When all checks were last made, and when they are due; ms since 1970. */
  readonly auditedAt?: number;
  readonly dueAt?: number;
  /** The request that the latest audit answers. */
  readonly request?: string;
  readonly checks: readonly CheckState[];
  /** The most urgent first, then by id and subject. */
  readonly findings: readonly StandingFinding[];
  /** On protected ports; absent: not seen yet, or could not be read. */
  readonly listeners?: readonly ListenerState[];
  readonly connections?: ConnectionsState;
}
