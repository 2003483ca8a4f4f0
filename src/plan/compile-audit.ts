import type { PolicySpec } from "../api/policy.ts";
import { CompileError } from "./compile-error.ts";
import { parsePortItem, parsePorts } from "./ports.ts";
import { scheduleProblem } from "./schedule.ts";
import { compareText } from "./text-order.ts";
import type { PlanAudit, PlanListener, PlanMonitoring } from "./types.ts";

export function compileMonitoring({ listeners, dropLog }: NonNullable<PolicySpec["monitoring"]>): PlanMonitoring {
  const expected = (listeners?.expected ?? []).map(({ port, process }): PlanListener => {
    const ports = parsePortItem(port);
    return process === undefined ? { ports } : { ports, process };
  });
  return {
    ...(listeners === undefined
      ? {}
      : { listeners: { expected: expected.toSorted(byPort), unexpected: listeners.unexpected } }),
    ...(dropLog === undefined ? {} : { dropLog: { perMinute: dropLog.perMinute } }),
  };
}

function byPort(a: PlanListener, b: PlanListener): number {
  return a.ports.from - b.ports.from || a.ports.to - b.ports.to || compareText(a.process ?? "", b.process ?? "");
}

/** What only observes changes nothing on the host: it asks for what it would ensure. */
export function compileAudit(
  policy: string,
  mode: PolicySpec["mode"],
  audit: NonNullable<PolicySpec["audit"]>,
): PlanAudit {
  const problem = scheduleProblem(audit.schedule);
  if (problem !== undefined) throw new CompileError(policy, "spec.audit.schedule", problem, "Everywhere");
  const automatic = audit.securityUpdates?.automatic ?? "Report";
  return {
    schedule: audit.schedule,
    mandatoryAccessControl: audit.mandatoryAccessControl,
    pendingUpdates: audit.securityUpdates?.pending ?? "Report",
    automaticUpdates: mode === "Observe" && automatic === "Ensure" ? "Required" : automatic,
    plaintextProtocols: audit.plaintextProtocols,
    exposure: audit.exposure,
    skipProbes: parsePorts(audit.skipProbes ?? []),
  };
}
