import type { HostView } from "../host-view.ts";
import type { AutomaticState } from "./automatic-state.ts";
import { isYes, parseIniFile } from "./ini-file.ts";
import { observeTimer } from "./systemd-timer.ts";

/** The timers that may install: dnf 4 has one that always does and one that does as automatic.conf says, dnf 5 only the latter. */
const timers = {
  dnf4: {
    installing: "dnf-automatic-install.timer",
    configured: "dnf-automatic.timer",
    service: "dnf-automatic.service",
  },
  dnf5: { installing: undefined, configured: "dnf5-automatic.timer", service: "dnf5-automatic.service" },
} as const;

/** The first that says so wins; dnf5 names the second deprecated. */
const configurations = ["/etc/dnf/automatic.conf", "/etc/dnf/dnf5-plugins/automatic.conf"];

export async function observeDnfAutomatic(host: HostView, version: "dnf4" | "dnf5"): Promise<AutomaticState> {
  const { installing, configured, service } = timers[version];
  if (installing !== undefined && (await observeTimer(host, installing)) === "On") return switchedOn(host, installing);
  const state = await observeTimer(host, configured);
  if (state === "Missing") {
    const name = version === "dnf4" ? "dnf-automatic" : "dnf5-plugin-automatic";
    return {
      kind: "Off",
      why: `${name} is not installed`,
      remedy: `Install ${name} and enable ${installing ?? configured}`,
    };
  }
  if (state !== "On") {
    const remedy = `Run systemctl enable --now ${installing ?? `${configured}, with apply_updates = yes in automatic.conf`}`;
    return { kind: "Off", why: `${configured} is ${state.toLowerCase()}`, remedy };
  }
  if ((await appliesUpdates(host)) || (await isToldToInstall(host, service))) return switchedOn(host, configured);
  const remedy = "Set apply_updates = yes in section [commands] of /etc/dnf/automatic.conf";
  return { kind: "Off", why: `${configured} runs, but only downloads: apply_updates is no`, remedy };
}

async function switchedOn(host: HostView, timer: string): Promise<AutomaticState> {
  // Written by systemd when a persistent timer elapses: dnf leaves no mark of its own that it succeeded.
  const lastRunAt = await host.modifiedAt(`/var/lib/systemd/timers/stamp-${timer}`);
  return { kind: "On", by: timer, lastRunAt };
}

/** The default is no, in dnf 4 and 5. */
async function appliesUpdates(host: HostView): Promise<boolean> {
  for (const path of configurations) {
    const text = await host.readFile(path);
    const value = text && parseIniFile(text).get("commands")?.get("apply_updates");
    if (value !== undefined) return isYes(value);
  }
  return false;
}

/** A drop-in of the service that adds the flag which overrides the configuration. */
async function isToldToInstall(host: HostView, service: string): Promise<boolean> {
  const folder = `/etc/systemd/system/${service}.d`;
  for (const name of (await host.readFolder(folder)) ?? []) {
    if (!name.endsWith(".conf")) continue;
    if (/^ExecStart=.* --installupdates\b/m.test((await host.readFile(`${folder}/${name}`)) ?? "")) return true;
  }
  return false;
}
