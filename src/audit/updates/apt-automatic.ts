import type { HostView } from "../host-view.ts";
import { type AptConfig, parseAptConfig } from "./apt-config.ts";
import type { AutomaticState } from "./automatic-state.ts";
import { isThere } from "./package-tool.ts";
import { observeTimer, systemdRuns } from "./systemd-timer.ts";

/** Refreshes the lists, and installs from them. */
export const aptTimers = ["apt-daily.timer", "apt-daily-upgrade.timer"] as const;

/** Undefined where apt's configuration cannot be had. */
export async function observeAptAutomatic(host: HostView): Promise<AutomaticState | undefined> {
  if (!(await isThere(host, "/usr/bin/unattended-upgrade"))) {
    const remedy = "Install unattended-upgrades and switch it on: dpkg-reconfigure -plow unattended-upgrades";
    return { kind: "Off", why: "unattended-upgrades is not installed", remedy };
  }
  const config = await readAptConfig(host);
  if (config === undefined) return undefined;
  const off = switchedOff(config);
  if (off !== undefined)
    return { kind: "Off", why: off, remedy: "Switch it on: dpkg-reconfigure -plow unattended-upgrades" };
  if (!coversSecurity(config)) {
    const remedy = "Add the security suite to Unattended-Upgrade::Origins-Pattern in /etc/apt/apt.conf.d";
    return { kind: "Off", why: "unattended-upgrades is on, but none of its origins is a security suite", remedy };
  }
  const idle = await idleTimer(host);
  if (idle !== undefined) {
    return {
      kind: "Off",
      why: `unattended-upgrades is on, but ${idle}`,
      remedy: `Run systemctl enable --now ${aptTimers.join(" ")}`,
    };
  }
  // Written by apt.systemd.daily after unattended-upgrade succeeded.
  const lastRunAt = await host.modifiedAt("/var/lib/apt/periodic/upgrade-stamp");
  return { kind: "On", by: "unattended-upgrades", lastRunAt };
}

export async function readAptConfig(host: HostView): Promise<AptConfig | undefined> {
  const result = await host.run("apt-config", ["dump"], { timeoutMilliseconds: 10_000 });
  return result?.exitCode === 0 ? parseAptConfig(result.stdout) : undefined;
}

/** What in APT::Periodic keeps it from running, as /usr/lib/apt/apt.systemd.daily reads it: intervals in days, 0 is never. */
export function switchedOff(config: AptConfig): string | undefined {
  if (config.value("APT::Periodic::Enable") === "0") return "APT::Periodic::Enable is 0";
  for (const key of ["Update-Package-Lists", "Unattended-Upgrade"]) {
    const value = config.value(`APT::Periodic::${key}`);
    if (value === undefined || /^0*[smhd]?$/.test(value)) return `APT::Periodic::${key} is ${value ?? "not set"}`;
  }
  return undefined;
}

/** Without an origin that is a security suite, or any origin, unattended-upgrades installs other things, or nothing. */
export function coversSecurity(config: AptConfig): boolean {
  const origins = [
    ...config.list("Unattended-Upgrade::Allowed-Origins"),
    ...config.list("Unattended-Upgrade::Origins-Pattern"),
  ];
  return origins.some((origin) => /security/i.test(origin) || /^(?:o|origin|site)=\*$/.test(origin));
}

/** cron runs the same script where systemd does not. */
export async function cronRunsApt(host: HostView): Promise<boolean> {
  return !(await systemdRuns(host)) && (await isThere(host, "/etc/cron.daily/apt-compat"));
}

async function idleTimer(host: HostView): Promise<string | undefined> {
  if (await cronRunsApt(host)) return undefined;
  for (const timer of aptTimers) {
    const state = await observeTimer(host, timer);
    if (state !== "On") return `${timer} is ${state.toLowerCase()}`;
  }
  return undefined;
}
