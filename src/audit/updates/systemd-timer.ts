import type { HostView } from "../host-view.ts";
import { isThere } from "./package-tool.ts";

/** `Stopped` is enabled, but not running until the next boot. */
export type TimerState = "On" | "Off" | "Stopped" | "Masked" | "Missing";

const unitFolders = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * Whether systemd starts a timer, from the files that say so and, where systemd answers, from itself. Masked is a link to
 * /dev/null; enabled a link in timers.target.wants, or a drop-in of timers.target that wants it.
 */
export async function observeTimer(host: HostView, timer: string): Promise<TimerState> {
  let installed = false;
  for (const folder of unitFolders) {
    if ((await host.readLink(`${folder}/${timer}`)) === "/dev/null") return "Masked";
    installed ||= await isThere(host, `${folder}/${timer}`);
  }
  if (!installed) return "Missing";
  if (!(await isWanted(host, timer))) return "Off";
  return (await isStopped(host, timer)) ? "Stopped" : "On";
}

async function isWanted(host: HostView, timer: string): Promise<boolean> {
  for (const folder of unitFolders) {
    if ((await host.readLink(`${folder}/timers.target.wants/${timer}`)) !== undefined) return true;
    for (const name of (await host.readFolder(`${folder}/timers.target.d`)) ?? []) {
      const text = (await host.readFile(`${folder}/timers.target.d/${name}`)) ?? "";
      const wanted = [...text.matchAll(/^Wants=(.*)$/gm)].flatMap(([, units = ""]) => units.split(/\s+/));
      if (name.endsWith(".conf") && wanted.includes(timer)) return true;
    }
  }
  return false;
}

/** Exit code 3 is systemd's own answer; anything else comes from a systemd that does not answer, and the files count. */
async function isStopped(host: HostView, timer: string): Promise<boolean> {
  const result = await host.run("systemctl", ["is-active", timer], { timeoutMilliseconds: 5_000 });
  return result?.exitCode === 3 && /^(?:inactive|failed)$/.test(result.stdout.trim());
}
