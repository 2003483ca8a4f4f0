import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { observeAptAutomatic } from "./apt-automatic.ts";
import type { AutomaticState } from "./automatic-state.ts";
import { readBootTime } from "./boot-time.ts";
import { observeDnfAutomatic } from "./dnf-automatic.ts";
import { daysSince } from "./list-age.ts";
import { clipped } from "./listed.ts";
import { findPackageTool } from "./package-tool.ts";

/** Automatic updates run daily; a week without one is no coincidence. */
const STALLED_DAYS = 7;
/** Since the start, and since somebody last changed what is switched on: by then it should have run for the first time. */
const FIRST_RUN_DAYS = 2;
/** Folders that change when it is switched on. */
const switches = [
  "/etc/apt/apt.conf.d",
  "/etc/systemd/system/timers.target.wants",
  "/etc/systemd/system/timers.target.d",
];

/** Whether the host installs security updates by itself, and whether it lately did. Examined: one mechanism. */
export async function checkAutomaticUpdates(host: HostView, now: number): Promise<CheckResult> {
  const tool = await findPackageTool(host);
  if (tool.name === "none") return { status: "NotChecked", reason: tool.reason };
  const state = tool.name === "apt" ? await observeAptAutomatic(host) : await observeDnfAutomatic(host, tool.name);
  if (state === undefined) return { status: "NotChecked", reason: "apt-config does not print its configuration" };
  const finding = state.kind === "Off" ? switchedOff(state) : await stalled(host, state, now);
  return { status: "Checked", examined: 1, findings: finding === undefined ? [] : [finding] };
}

function switchedOff({ why, remedy }: AutomaticState & { kind: "Off" }): Finding {
  return {
    id: "updates.automatic-off",
    severity: "medium",
    subject: "automatic updates",
    evidence: clipped(why),
    remedy: clipped(remedy),
  };
}

async function stalled(
  host: HostView,
  { by, lastRunAt }: AutomaticState & { kind: "On" },
  now: number,
): Promise<Finding | undefined> {
  const evidence = await whyStalled(host, by, lastRunAt, now);
  if (evidence === undefined) return undefined;
  return {
    id: "updates.automatic-stalled",
    severity: "medium",
    subject: "automatic updates",
    evidence,
    remedy: `See why: journalctl -u ${by.endsWith(".timer") ? by.replace(/timer$/, "service") : "apt-daily-upgrade.service"}`,
  };
}

async function whyStalled(
  host: HostView,
  by: string,
  lastRunAt: number | undefined,
  now: number,
): Promise<string | undefined> {
  if (lastRunAt !== undefined) {
    const days = daysSince(lastRunAt, now);
    return days < STALLED_DAYS ? undefined : `${by} is on, but last ran to its end ${days} days ago`;
  }
  const times = [await readBootTime(host), ...(await Promise.all(switches.map((folder) => host.modifiedAt(folder))))];
  const since = Math.max(...times.filter((time) => time !== undefined));
  if (!Number.isFinite(since) || daysSince(since, now) < FIRST_RUN_DAYS) return undefined;
  return `${by} is on, but never ran in ${daysSince(since, now)} days`;
}
