import type { AuditSubject } from "../check.ts";
import type { CheckResult, Finding } from "../finding.ts";
import { levelOf } from "./level.ts";
import { observeLocalPorts } from "./local-ports.ts";
import { portsByRemote } from "./ports-by-remote.ts";
import { socketsAtMost } from "./socket-counters.ts";

/** Remotes named one by one. */
const FINDINGS_MAXIMUM = 20;

/**
 * Whether the local ports towards some remote run out: a connection is told apart by its two addresses and ports, so each
 * remote address and port has the whole range of its own. Examined: sockets.
 */
export async function checkLocalPorts(subject: AuditSubject): Promise<CheckResult> {
  const ports = await observeLocalPorts(subject.host);
  if (ports === undefined) return { status: "NotChecked", reason: "the kernel tells no ip_local_port_range" };
  const sockets = await socketsAtMost(subject.host);
  // Two small files spare a walk over all connections: fewer sockets cannot fill the range towards anybody.
  if (sockets !== undefined && levelOf(sockets, ports.size) === undefined) {
    return { status: "Checked", examined: sockets, findings: [] };
  }
  const connections = await subject.connections();
  const findings = portsByRemote(connections, ports)
    .slice(0, FINDINGS_MAXIMUM)
    .flatMap(({ remote, used, timeWait }): Finding[] => {
      const severity = levelOf(used, ports.size);
      if (severity === undefined) return [];
      return [
        {
          id: "connections.local-ports-near-exhaustion",
          severity,
          subject: `to ${remote}`,
          evidence: `${used} of the ${ports.size} local ports of ${ports.range} are in use, ${timeWait} of them in TIME_WAIT`,
          remedy:
            "Keep connections open and reuse them, widen ephemeralPorts.range, or spread over more remote addresses",
        },
      ];
    });
  return { status: "Checked", examined: connections.length, findings };
}
