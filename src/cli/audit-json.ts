import { hostname } from "node:os";
import type { AuditSubject } from "../audit/check.ts";
import { summariseConnections } from "../audit/connections/summary.ts";
import { reachOf } from "../audit/listeners/reach.ts";
import type { CheckReport } from "../audit/run-audit.ts";
import { isProtected } from "../audit/settings.ts";
import type { Unmet } from "./audit-unmet.ts";

/** Raised when a field goes or changes its meaning; new fields leave it. */
const FORMAT = 1;

/** The listeners on protected ports, and the connections, of a moment; empty where they could not be read: a check says why. */
export async function socketsJson(subject: AuditSubject): Promise<object> {
  try {
    const { all } = await subject.listeners();
    const connections = await subject.connections();
    const listeners = all
      .filter(({ port }) => isProtected(port, subject.settings))
      .map((listener) => ({ ...listener, reach: reachOf(listener, subject.settings.judge) }));
    return { listeners, connections: summariseConnections(connections, all) };
  } catch {
    // The checks that wanted them say so, each with the reason.
    return {};
  }
}

/** For programs. `notMet` is what policies require and is not so. */
export function auditJson(
  reports: readonly CheckReport[],
  subject: AuditSubject,
  { unmet, sockets }: { readonly unmet: readonly Unmet[]; readonly sockets: object },
): string {
  const report = {
    format: FORMAT,
    host: hostname(),
    auditedAt: new Date(subject.now).toISOString(),
    protectedPorts: subject.settings.protectedPorts.map(String),
    checks: reports.map(({ name, practice, title, result }) => ({ name, practice, title, ...result })),
    notMet: unmet.map(({ check, policies }) => ({ check, policies })),
    ...sockets,
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
