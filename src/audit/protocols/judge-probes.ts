import type { CheckResult, Finding, Seen } from "../finding.ts";
import type { KeptProbes, ProbedListener } from "./probe-plan.ts";
import { serviceFindings } from "./service-findings.ts";
import { serviceWords } from "./service-words.ts";

/**
 * Judges what was probed. Pure; asked again without a new probe, as certificates expire. Examined: listeners that answered.
 * One that could not be probed is a finding, for it may speak anything.
 */
export function judgeProbes(
  listeners: readonly ProbedListener[],
  probes: KeptProbes,
  now: number,
): Extract<CheckResult, { readonly status: "Checked" }> {
  const findings: Finding[] = [];
  const seen: Seen[] = [];
  let examined = 0;
  for (const listener of listeners) {
    const result = probes.get(listener.identity)?.result;
    if (result?.kind === "Answered") {
      examined += 1;
      seen.push({ subject: listener.name, says: serviceWords(result.service) });
      findings.push(...serviceFindings(listener.name, result.service, now).map(withPort(listener)));
    } else {
      findings.push(notReached(listener, result?.reason ?? "its turn did not come in the time of this audit"));
    }
  }
  return { status: "Checked", examined, findings, seen };
}

function withPort({ port }: ProbedListener): (finding: Finding) => Finding {
  return (finding) => ({ ...finding, port });
}

function notReached({ name, port }: ProbedListener, reason: string): Finding {
  return {
    id: "protocols.not-reached",
    severity: "info",
    subject: name,
    port,
    evidence: `listens, but could not be probed: ${reason}`,
    remedy: "See whether the process hangs or its backlog is full",
  };
}
