import type { AuditSubject } from "../check.ts";
import type { CheckResult } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { levelOf } from "./level.ts";

export interface ConntrackUse {
  readonly count: number;
  readonly max: number;
}

/** Undefined where the kernel tracks no connections. */
export async function observeConntrack(host: HostView): Promise<ConntrackUse | undefined> {
  const count = await host.readFile("/proc/sys/net/netfilter/nf_conntrack_count");
  const max = await host.readFile("/proc/sys/net/netfilter/nf_conntrack_max");
  return count === undefined || max === undefined ? undefined : { count: Number(count), max: Number(max) };
}

/** Whether the table of tracked connections fills up: when it is full the kernel drops what would be new. Examined: entries. */
export async function checkConntrack({ host }: AuditSubject): Promise<CheckResult> {
  const use = await observeConntrack(host);
  if (use === undefined) return { status: "NotChecked", reason: "connection tracking is not active on this host" };
  const { count, max } = use;
  // 0 is no bound.
  const severity = max === 0 ? undefined : levelOf(count, max);
  if (severity === undefined) return { status: "Checked", examined: count, findings: [] };
  const finding = {
    id: "connections.conntrack-near-full",
    severity,
    subject: "nf_conntrack",
    evidence: `${count} of ${max} entries are in use; when none is left, new connections are dropped`,
    remedy: "Raise net.netfilter.nf_conntrack_max (and the hash size), or find who opens so many: conntrack -L",
  };
  return { status: "Checked", examined: count, findings: [finding] };
}
