import type { HostView } from "../host-view.ts";
import { isThere } from "./package-tool.ts";

/** `Stopped` is enabled, but not running until the next boot. */
export type TimerState = "On" | "Off" | "Stopped" | "Masked" | "Missing";

const unitFolders = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * Whether systemd starts a timer, from the files that say so and, where systemd answers, from itself. Masked is a link to
 * /dev/null; enabled a link in timers.target.wants, or a drop-in of timers.target that wants it. As if file `without`
 * were not there.
 */
export async function observeTimer(
  host: HostView,
  timer: string,
  { without }: { readonly without?: string } = {},
): Promise<TimerState> {
  let installed = false;
  for (const folder of unitFolders) {
    if ((await host.readLink(`${folder}/${timer}`)) === "/dev/null") return "Masked";
    installed ||= await isThere(host, `${folder}/${timer}`);
  }
  if (!installed) return "Missing";
  if (!(await isWanted(host, timer, without))) return "Off";
  return (await isStopped(host, timer)) ? "Stopped" : "On";
}

async function isWanted(host: HostView, timer: string, without: string | undefined): Promise<boolean> {
  for (const folder of unitFolders) {
    if ((await host.readLink(`${folder}/timers.target.wants/${timer}`)) !== undefined) return true;
    for (const name of (await host.readFolder(`${folder}/timers.target.d`)) ?? []) {
      const path = `${folder}/timers.target.d/${name}`;
      if (path === without || !name.endsWith(".conf")) continue;
      if (wantedUnits((await host.readFile(path)) ?? "").includes(timer)) return true;
    }
  }
  return false;
}

/** What a unit file or drop-in wants. */
export function wantedUnits(text: string): string[] {
  return [...text.matchAll(/^Wants=(.*)$/gm)].flatMap(([, units = ""]) => units.split(/\s+/));
}

/** Exit code 3 is systemd's own answer; anything else comes from a systemd that does not answer, and the files count. */
async function isStopped(host: HostView, timer: string): Promise<boolean> {
  const result = await host.run("systemctl", ["is-active", timer], { timeoutMilliseconds: 5_000 });
  return result?.exitCode === 3 && /^(?:inactive|failed)$/.test(result.stdout.trim());
}

/** Whether it is counting down now, as systemd itself says; where it does not answer, it is not. */
export async function isRunning(host: HostView, timer: string): Promise<boolean> {
  const result = await host.run("systemctl", ["is-active", timer], { timeoutMilliseconds: 5_000 });
  return result?.exitCode === 0 && result.stdout.trim() === "active";
}

/** Where it is not, timers do nothing: a container, or another init. */
export async function systemdRuns(host: HostView): Promise<boolean> {
  return isThere(host, "/run/systemd/system");
}
