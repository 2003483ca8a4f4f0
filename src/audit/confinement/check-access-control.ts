import type { AuditSubject } from "../check.ts";
import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { observeAccessControl, parseSelinuxConfig } from "./security-modules.ts";

/** Whether the kernel confines processes at all, now and after the next boot. Examined: the one kernel. */
export async function checkAccessControl({ host }: AuditSubject): Promise<CheckResult> {
  const control = await observeAccessControl(host);
  if (control.kind === "Unknown") return { status: "NotChecked", reason: control.reason };
  const findings: Finding[] = [];
  if (control.kind === "None") {
    findings.push({
      id: "confinement.none",
      severity: "high",
      subject: "kernel",
      evidence: control.evidence,
      remedy: "Boot with SELinux or AppArmor, whichever the distribution brings (kernel parameters security=, lsm=)",
    });
  }
  if (control.kind === "SELinux") findings.push(...(await selinuxFindings(host, control.enforcing)));
  return { status: "Checked", examined: 1, findings };
}

async function selinuxFindings(host: HostView, enforcing: boolean): Promise<Finding[]> {
  const { mode, policy } = parseSelinuxConfig(await host.readFile("/etc/selinux/config"));
  const loaded = policy === undefined ? "" : `, policy ${policy}`;
  if (!enforcing) {
    const finding: Finding = {
      id: "confinement.selinux-permissive",
      severity: "high",
      subject: "SELinux",
      evidence: `/sys/fs/selinux/enforce is 0${loaded}: what the policy forbids is logged and done`,
      remedy: "Mend what ausearch -m AVC shows, then setenforce 1 and SELINUX=enforcing in /etc/selinux/config",
    };
    return [finding];
  }
  if (mode === undefined || mode === "enforcing") return [];
  const finding: Finding = {
    id: "confinement.selinux-not-kept",
    severity: "medium",
    subject: "SELinux",
    evidence: `enforcing now${loaded}, but /etc/selinux/config says ${mode} for the next boot`,
    remedy: "Set SELINUX=enforcing in /etc/selinux/config",
  };
  return [finding];
}
