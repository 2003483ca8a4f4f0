import type { HostView } from "../host-view.ts";
import { aptTimers, coversSecurity, observeAptAutomatic, readAptConfig, switchedOff } from "./apt-automatic.ts";
import { observeDnfAutomatic } from "./dnf-automatic.ts";
import { findPackageTool, isThere } from "./package-tool.ts";
import { observeTimer } from "./systemd-timer.ts";

/** What switching automatic updates on takes: files that are ours alone, and timers to start. Clean-up removes the former, then stops the latter. */
export type AutomaticUpdatesPlan =
  /** The host does it already, by itself. */
  | { readonly kind: "Nothing" }
  | {
      readonly kind: "Write";
      readonly files: readonly { readonly path: string; readonly content: string }[];
      /** Started after `systemctl daemon-reload`. */
      readonly timers: readonly string[];
    }
  /** It would take installing a package, or overruling what somebody decided. */
  | { readonly kind: "Impossible"; readonly reason: string };

/** Behind all others in apt.conf.d, so that it wins. */
const APT_FILE = "/etc/apt/apt.conf.d/zz-porthardening";
/** A drop-in that enables: `systemctl enable` would make links which are not ours to remove. */
const TIMERS_FILE = "/etc/systemd/system/timers.target.d/porthardening.conf";
const SERVICE_FILE = "/etc/systemd/system/dnf5-automatic.service.d/porthardening.conf";

const header = "Written by port-hardening (securityUpdates.automatic: Ensure); removed by its clean-up.";

/** The same whether our files are there already or not. */
export async function planAutomaticUpdates(host: HostView): Promise<AutomaticUpdatesPlan> {
  const tool = await findPackageTool(host);
  if (tool.name === "none") return { kind: "Impossible", reason: tool.reason };
  return tool.name === "apt" ? planForApt(host, tool.distribution) : planForDnf(host, tool.name);
}

async function planForApt(host: HostView, distribution: string): Promise<AutomaticUpdatesPlan> {
  const state = await observeAptAutomatic(host);
  const config = await readAptConfig(host);
  if (state === undefined || config === undefined) {
    return { kind: "Impossible", reason: "apt-config does not print its configuration" };
  }
  if (!(await isThere(host, "/usr/bin/unattended-upgrade"))) return notInstalled("unattended-upgrades");
  const configured = switchedOff(config) === undefined && coversSecurity(config);
  const files = [];
  if (!configured || (await isThere(host, APT_FILE))) {
    files.push({ path: APT_FILE, content: aptFile(distribution) });
  }
  return withTimers(host, files, aptTimers);
}

async function planForDnf(host: HostView, version: "dnf4" | "dnf5"): Promise<AutomaticUpdatesPlan> {
  const ours = (await isThere(host, TIMERS_FILE)) || (await isThere(host, SERVICE_FILE));
  if (!ours && (await observeDnfAutomatic(host, version)).kind === "On") return { kind: "Nothing" };
  if (version === "dnf4") return withTimers(host, [], ["dnf-automatic-install.timer"]);
  const command = "ExecStart=/usr/bin/dnf5 automatic --timer --installupdates";
  const content = `# ${header}\n[Service]\nExecStart=\n${command}\n`;
  return withTimers(host, [{ path: SERVICE_FILE, content }], ["dnf5-automatic.timer"]);
}

/** Adds what enables the timers that are not enabled without us. */
async function withTimers(
  host: HostView,
  files: readonly { readonly path: string; readonly content: string }[],
  timers: readonly string[],
): Promise<AutomaticUpdatesPlan> {
  const ours = (await host.readFile(TIMERS_FILE)) ?? "";
  const enabled: string[] = [];
  const started: string[] = [];
  for (const timer of timers) {
    const state = await observeTimer(host, timer);
    if (state === "Missing") return notInstalled(timer);
    if (state === "Masked")
      return { kind: "Impossible", reason: `${timer} is masked: somebody decided that it must not run` };
    if (state === "Off" || ours.includes(timer)) enabled.push(timer);
    if (state !== "On" || ours.includes(timer)) started.push(timer);
  }
  const dropIn = { path: TIMERS_FILE, content: `# ${header}\n[Unit]\nWants=${enabled.join(" ")}\n` };
  const all = enabled.length === 0 ? files : [...files, dropIn];
  return all.length === 0 && started.length === 0
    ? { kind: "Nothing" }
    : { kind: "Write", files: all, timers: started };
}

function notInstalled(what: string): AutomaticUpdatesPlan {
  return { kind: "Impossible", reason: `${what} is not installed, and no package is ever installed by us` };
}

function aptFile(distribution: string): string {
  const origin =
    distribution === "ubuntu"
      ? 'Unattended-Upgrade::Allowed-Origins:: "${distro_id}:${distro_codename}-security";'
      : 'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";';
  return [
    `// ${header}`,
    'APT::Periodic::Enable "1";',
    'APT::Periodic::Update-Package-Lists "1";',
    'APT::Periodic::Unattended-Upgrade "1";',
    // A list grows by `::`: what the host allows already stays.
    origin,
    "",
  ].join("\n");
}
