import type { ReachJudge } from "../audit/listeners/reach.ts";
import type { AuditSettings } from "../audit/settings.ts";
import { eachPractice, type NodeAudit } from "../plan/node-audit.ts";
import type { PortRange } from "../plan/types.ts";

/** What the policies of the node ask, as checks take it. `auditor`: the process that audits, where it may listen itself. */
export function auditSettings(audit: NodeAudit, judge: ReachJudge, auditor?: number): AuditSettings {
  const { protectedPorts, portsOf, expected, skipProbes } = audit;
  return {
    protectedPorts: protectedPorts.map(portText),
    portsOf: eachPractice((practice) => portsOf[practice].map(portText)),
    ...(expected !== undefined && {
      expected: expected.map(({ ports, process }) => ({
        port: portText(ports),
        ...(process !== undefined && { process }),
      })),
    }),
    ...(auditor !== undefined && { auditor }),
    skipProbes: skipProbes.map(portText),
    judge,
  };
}

export function portText({ from, to }: PortRange): string {
  return from === to ? `${from}` : `${from}-${to}`;
}
