import type { AuditSubject } from "../check.ts";
import type { CheckResult, Finding } from "../finding.ts";
import { type Listener, listenerName } from "../listeners/listener.ts";
import { judgeProbes } from "./judge-probes.ts";
import { probedListeners } from "./probed-listeners.ts";

/**
 * What listeners on protected ports speak. Connects to each at an audit, and to new ones when listeners change; a listener
 * that came and went meanwhile is none.
 */
export async function checkProtocols(subject: AuditSubject): Promise<CheckResult> {
  const { prober, settings, occasion, now, signal } = subject;
  if (prober === undefined) return { status: "NotChecked", reason: "nothing is to be connected to" };
  const { all } = await subject.listeners();
  const { probed, dormant } = probedListeners(all, settings);
  const { known, gone } = await prober.probe(probed, { anew: occasion === "Audit", now, signal });
  const there = probed.filter(({ identity }) => !gone.has(identity));
  if (there.length > 0 && !there.some(({ identity }) => known.has(identity))) {
    return { status: "NotChecked", reason: `none of ${there.length} listeners was probed in time` };
  }
  const { findings, ...judged } = judgeProbes(there, known, now);
  return { ...judged, findings: [...findings, ...dormant.map(notStarted)] };
}

function notStarted(listener: Listener): Finding {
  return {
    id: "protocols.not-reached",
    severity: "info",
    subject: listenerName(listener),
    port: listener.port,
    evidence: "systemd listens for a service that does not run: connecting would start it",
    remedy: "See which one it is (systemctl list-sockets), and audit again while it runs",
  };
}
