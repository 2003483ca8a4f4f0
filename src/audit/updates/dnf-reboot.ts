import type { CheckResult } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { readBootTime } from "./boot-time.ts";
import { listed } from "./listed.ts";
import { rebootPending } from "./reboot-finding.ts";

/**
 * What takes effect at a reboot only: the list of `dnf needs-restarting -r` (https://access.redhat.com/solutions/27943),
 * with Oracle's kernel.
 */
const packages = [
  "kernel",
  "kernel-core",
  "kernel-rt",
  "kernel-rt-core",
  "kernel-uek-core",
  "glibc",
  "linux-firmware",
  "systemd",
  "dbus-broker",
  "dbus-daemon",
  "microcode_ctl",
];

/**
 * Whether any of these was installed after the kernel started. The rule is that of `dnf needs-restarting -r`, asked of rpm:
 * that is a plug-in which may be missing, takes dnf's lock, and in dnf 5 loads every repository's file lists.
 * Examined: packages.
 */
export async function checkDnfReboot(host: HostView): Promise<CheckResult> {
  const bootedAt = await readBootTime(host);
  if (bootedAt === undefined)
    return { status: "NotChecked", reason: "/proc/stat does not say when the kernel started" };
  const args = ["-q", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE} %{INSTALLTIME}\\n", ...packages];
  // Its exit code counts the packages that are not installed.
  const result = await host.run("rpm", args, { timeoutMilliseconds: 30_000 });
  if (result === undefined) return { status: "NotChecked", reason: "the host has no rpm" };
  const installed = [...result.stdout.matchAll(/^(\S+) (\S+) (\d+)$/gm)];
  if (installed.length === 0) return { status: "NotChecked", reason: "rpm knows no kernel, glibc or systemd" };
  const newer = installed.filter(([, , , seconds]) => Number(seconds) * 1000 > bootedAt);
  const names = [...new Set(newer.map(([, name, version]) => `${name} ${version}`))].toSorted();
  const findings = names.length === 0 ? [] : [rebootPending(listed("installed since the start", names))];
  return { status: "Checked", examined: installed.length, findings };
}
