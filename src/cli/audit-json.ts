import { hostname } from "node:os";
import type { AuditSubject } from "../audit/check.ts";
import { summariseConnections } from "../audit/connections/summary.ts";
import { reachOf } from "../audit/listeners/reach.ts";
import type { CheckReport } from "../audit/run-audit.ts";
import { isProtected } from "../audit/settings.ts";

/** Raised when a field goes or changes its meaning; new fields leave it. */
const FORMAT = 1;

/** For programs. `listeners` and `connections` are left out where they could not be read: a check says why. */
export async function auditJson(reports: readonly CheckReport[], subject: AuditSubject): Promise<string> {
  const report = {
    format: FORMAT,
    host: hostname(),
    auditedAt: new Date(subject.now).toISOString(),
    protectedPorts: subject.settings.protectedPorts.map(String),
    checks: reports.map(({ name, title, result }) => ({ name, title, ...result })),
    ...(await sockets(subject)),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

async function sockets(subject: AuditSubject) {
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
