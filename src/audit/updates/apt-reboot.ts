import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { sameFlavour } from "./kernel-release.ts";
import { listed } from "./listed.ts";
import { rebootPending } from "./reboot-finding.ts";

/**
 * Whether a Debian or Ubuntu host runs something older than it has installed: what packages asked for
 * (/run/reboot-required, written by update-notifier and unattended-upgrades), and, as nobody writes that file on a plain
 * Debian, the running kernel against the installed ones. Examined: installed kernels of the running one's flavour.
 */
export async function checkAptReboot(host: HostView): Promise<CheckResult> {
  const running = (await host.readFile("/proc/sys/kernel/osrelease"))?.trim() ?? "";
  const images = ((await host.readFolder("/boot")) ?? []).filter((name) => name.startsWith("vmlinuz-"));
  const kernels = sameFlavour(
    running,
    images.map((name) => name.slice("vmlinuz-".length)),
  );
  const evidence =
    (await askedFor(host)) ?? newerKernel(running, kernels) ?? (await rebuiltKernel(host, running, kernels));
  const findings: Finding[] = evidence === undefined ? [] : [rebootPending(evidence)];
  if (findings.length === 0 && !kernels.includes(running)) {
    return { status: "NotChecked", reason: `the running kernel ${running} is none of those in /boot` };
  }
  return { status: "Checked", examined: kernels.length, findings };
}

async function askedFor(host: HostView): Promise<string | undefined> {
  if ((await host.readFile("/run/reboot-required")) === undefined) return undefined;
  const packages = ((await host.readFile("/run/reboot-required.pkgs")) ?? "").split("\n").filter((it) => it !== "");
  return packages.length === 0
    ? "/run/reboot-required is there"
    : listed("/run/reboot-required, for", [...new Set(packages)].toSorted());
}

function newerKernel(running: string, [newest]: readonly string[]): string | undefined {
  if (newest === undefined || newest === running) return undefined;
  return `runs kernel ${running}, installed is ${newest}`;
}

/** Debian rebuilds a kernel under the same release name: the version tells them apart, and the running one says its own. */
async function rebuiltKernel(host: HostView, running: string, kernels: readonly string[]): Promise<string | undefined> {
  const version = / Debian (\S+)/.exec((await host.readFile("/proc/version")) ?? "")?.[1];
  if (version === undefined || !kernels.includes(running)) return undefined;
  const status = (await host.readFile("/var/lib/dpkg/status")) ?? "";
  const at = status.indexOf(`Package: linux-image-${running}\n`);
  const stanza = at < 0 ? "" : (status.slice(at).split("\n\n", 1)[0] ?? "");
  const installed = /^Version: (\S+)$/m.exec(stanza)?.[1];
  return installed === undefined || installed === version
    ? undefined
    : `runs kernel ${running} of version ${version}, installed is ${installed}`;
}
