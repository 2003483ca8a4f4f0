import { printable } from "../../api/printable.ts";
import type { AuditSubject } from "../check.ts";
import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { type Listener, listenerName, processEvidence } from "../listeners/listener.ts";
import { protectedListeners } from "../listeners/protected-listeners.ts";
import { isEnforced, parseAppArmorLabel } from "./apparmor-label.ts";
import { observeAccessControl } from "./security-modules.ts";
import { domainOf, isUnconfinedDomain } from "./selinux-domain.ts";

/** Whether each process that listens on a protected port is confined. Examined: those processes. */
export async function checkConfinement(subject: AuditSubject): Promise<CheckResult> {
  const control = await observeAccessControl(subject.host);
  if (control.kind === "Unknown") return { status: "NotChecked", reason: control.reason };
  if (control.kind === "None") {
    return { status: "NotChecked", reason: `nothing confines processes on this host: ${control.evidence}` };
  }
  const listeners = await protectedListeners(subject);
  if ("status" in listeners) return listeners;
  const findings = listeners.filter(({ process }) => process === undefined).map(hidden);
  let examined = 0;
  for (const [pid, ofProcess] of byProcess(listeners)) {
    const label = await readLabel(subject.host, control.kind, pid);
    // It has ended since.
    if (label === undefined) continue;
    examined += 1;
    const judge = control.kind === "SELinux" ? selinuxFinding : apparmorFinding;
    findings.push(...onePerPort(ofProcess).flatMap((listener) => judge(label, listener) ?? []));
  }
  return { status: "Checked", examined, findings };
}

function byProcess(listeners: readonly Listener[]): ReadonlyMap<number, readonly Listener[]> {
  const byPid = new Map<number, Listener[]>();
  for (const listener of listeners) {
    const pid = listener.process?.pid;
    if (pid !== undefined) byPid.set(pid, [...(byPid.get(pid) ?? []), listener]);
  }
  return byPid;
}

/** A finding for each port, as each may be another policy's. */
function onePerPort(listeners: readonly Listener[]): readonly Listener[] {
  return [...new Map(listeners.toReversed().map((listener) => [listener.port, listener])).values()].toReversed();
}

function hidden(listener: Listener): Finding {
  return {
    id: "confinement.process-unknown",
    severity: "low",
    subject: listenerName(listener),
    port: listener.port,
    evidence: "no process that can be seen holds this socket: it is the kernel's own, or hidden from the audit",
    remedy: "See to it that the audit sees the host's processes (hostPID); sockets of the kernel can be ignored",
  };
}

function selinuxFinding(context: string, listener: Listener): Finding | undefined {
  const domain = domainOf(context);
  if (domain !== undefined && !isUnconfinedDomain(domain)) return undefined;
  return finding("confinement.selinux-unconfined", listener, `runs as ${context}`, SELINUX_REMEDY);
}

function apparmorFinding(text: string, listener: Listener): Finding | undefined {
  const label = parseAppArmorLabel(text);
  if (isEnforced(label)) return undefined;
  return label.mode === "complain"
    ? finding("confinement.apparmor-complain", listener, `profile ${label.profile} only complains`, COMPLAIN_REMEDY)
    : finding("confinement.apparmor-unconfined", listener, `runs as ${text}`, APPARMOR_REMEDY);
}

const SELINUX_REMEDY =
  "Run it in a domain of its own: install its policy module, or write one with sepolicy generate; in a container drop privileged";
const COMPLAIN_REMEDY = "See that the log shows no denials that matter, then aa-enforce the profile";
const APPARMOR_REMEDY = "Give it a profile in enforce mode: install apparmor-profiles or write one with aa-genprof";

function finding(id: string, listener: Listener, what: string, remedy: string): Finding {
  const evidence = `${what}: ${processEvidence(listener)}`.slice(0, 200);
  return { id, severity: "medium", subject: listenerName(listener), port: listener.port, evidence, remedy };
}

/** Where several modules may label a process, AppArmor has a folder of its own (Linux 5.8); SELinux keeps the old place. */
async function readLabel(host: HostView, kind: "SELinux" | "AppArmor", pid: number): Promise<string | undefined> {
  const own = kind === "AppArmor" ? await host.readFile(`/proc/${pid}/attr/apparmor/current`) : undefined;
  const text = own ?? (await host.readFile(`/proc/${pid}/attr/current`));
  return text && printable(text.replace(/[\0\n]+$/, ""));
}
