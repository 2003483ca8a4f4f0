import type { CheckResult, Finding } from "../finding.ts";
import type { KeptProbes, ProbedListener } from "./probe-plan.ts";
import { serviceFindings } from "./service-findings.ts";

/**
 * Judges what was probed of the listeners on protected ports. Pure; asked again on each pass, as certificates expire without
 * a new probe. Examined: listeners that answered. One that could not be probed is a finding, for it may speak anything.
 */
export function checkProtocols(listeners: readonly ProbedListener[], probes: KeptProbes, now: number): CheckResult {
  const findings: Finding[] = [];
  let examined = 0;
  for (const listener of listeners) {
    const probe = probes.get(listener.identity);
    if (probe === undefined) continue;
    const subject = subjectOf(listener);
    if (probe.result.kind === "NotReached") {
      findings.push(notReached(subject, probe.result.reason));
    } else {
      examined += 1;
      findings.push(...serviceFindings(subject, probe.result.service, now));
    }
  }
  if (listeners.length > 0 && examined === 0 && findings.length === 0) {
    return { status: "NotChecked", reason: `none of ${listeners.length} listeners has been probed` };
  }
  return { status: "Checked", examined, findings };
}

function subjectOf({ address, port, process }: ProbedListener): string {
  const place = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return process === undefined ? `tcp ${place}` : `tcp ${place} ${process}`;
}

function notReached(subject: string, reason: string): Finding {
  return {
    id: "protocols.not-reached",
    severity: "info",
    subject,
    evidence: `listens, but could not be probed: ${reason}`,
    remedy: "See whether the process hangs or its backlog is full",
  };
}
