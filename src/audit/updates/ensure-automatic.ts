import type { HostView } from "../host-view.ts";
import { aptTimers, coversSecurity, cronRunsApt, readAptConfig, switchedOff } from "./apt-automatic.ts";
import { filesReadAfter } from "./apt-precedence.ts";
import { observeDnfAutomatic } from "./dnf-automatic.ts";
import {
  APT_FILE,
  aptSettings,
  headerFor,
  ranBefore,
  SERVICE_FILE,
  serviceDropIn,
  TIMERS_FILE,
  timersDropIn,
} from "./own-files.ts";
import { findPackageTool, isThere } from "./package-tool.ts";
import { isRunning, observeTimer, wantedUnits } from "./systemd-timer.ts";

/** What switching automatic updates on takes: files that are ours alone, and timers to start. */
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

/** The same whether our files are there already or not. `policies` are those that ask for it. */
export async function planAutomaticUpdates(host: HostView, policies: readonly string[]): Promise<AutomaticUpdatesPlan> {
  const tool = await findPackageTool(host);
  if (tool.name === "none") return { kind: "Impossible", reason: tool.reason };
  const header = headerFor(policies);
  return tool.name === "apt" ? planForApt(host, tool.distribution, header) : planForDnf(host, tool.name, header);
}

async function planForApt(host: HostView, distribution: string, header: string): Promise<AutomaticUpdatesPlan> {
  if (!(await isThere(host, "/usr/bin/unattended-upgrade"))) return notInstalled("unattended-upgrades");
  const config = await readAptConfig(host);
  if (config === undefined) return { kind: "Impossible", reason: "apt-config does not print its configuration" };
  const off = switchedOff(config) ?? (coversSecurity(config) ? undefined : "no origin is a security suite");
  const settings = aptSettings(distribution);
  const ours = await host.readFile(APT_FILE);
  if (off !== undefined && ours?.endsWith(settings)) return overruled(host, off);
  const files =
    off === undefined && ours === undefined ? [] : [{ path: APT_FILE, content: `// ${header}\n${settings}` }];
  return withTimers(host, files, (await cronRunsApt(host)) ? [] : aptTimers, header);
}

/** Our file is there, and yet it is off: what somebody set where apt reads it later wins. */
async function overruled(host: HostView, off: string): Promise<AutomaticUpdatesPlan> {
  const later = await filesReadAfter(host, APT_FILE);
  const by = later.length === 0 ? "something" : later.join(", ");
  return { kind: "Impossible", reason: `${off}: ${by} overrules ${APT_FILE}` };
}

async function planForDnf(host: HostView, version: "dnf4" | "dnf5", header: string): Promise<AutomaticUpdatesPlan> {
  const ours = (await isThere(host, TIMERS_FILE)) || (await isThere(host, SERVICE_FILE));
  if (!ours && (await observeDnfAutomatic(host, version)).kind === "On") return { kind: "Nothing" };
  if (version === "dnf4") return withTimers(host, [], ["dnf-automatic-install.timer"], header);
  return withTimers(host, [{ path: SERVICE_FILE, content: serviceDropIn(header) }], ["dnf5-automatic.timer"], header);
}

/** Adds what enables the timers that are not enabled without us. */
async function withTimers(
  host: HostView,
  files: readonly { readonly path: string; readonly content: string }[],
  timers: readonly string[],
  header: string,
): Promise<AutomaticUpdatesPlan> {
  const dropIn = (await host.readFile(TIMERS_FILE)) ?? "";
  const ours = wantedUnits(dropIn);
  const enabled: string[] = [];
  const running: string[] = [];
  const started: string[] = [];
  for (const timer of timers) {
    const state = await observeTimer(host, timer);
    if (state === "Missing") return notInstalled(timer);
    if (state === "Masked")
      return { kind: "Impossible", reason: `${timer} is masked: somebody decided that it must not run` };
    if (state === "Off" || ours.includes(timer)) enabled.push(timer);
    if (ours.includes(timer) ? ranBefore(dropIn).includes(timer) : state === "Off" && (await isRunning(host, timer)))
      running.push(timer);
    if (state !== "On" || ours.includes(timer)) started.push(timer);
  }
  const enabling = { path: TIMERS_FILE, content: timersDropIn(header, enabled, running) };
  const all = enabled.length === 0 ? files : [...files, enabling];
  return all.length === 0 && started.length === 0
    ? { kind: "Nothing" }
    : { kind: "Write", files: all, timers: started };
}

function notInstalled(what: string): AutomaticUpdatesPlan {
  return { kind: "Impossible", reason: `${what} is not installed, and no package is ever installed by us` };
}
