import type { HostView } from "../audit/host-view.ts";
import { planAutomaticUpdates } from "../audit/updates/ensure-automatic.ts";
import { isOurs } from "../audit/updates/own-files.ts";
import { isRunning, systemdRuns } from "../audit/updates/systemd-timer.ts";
import { planUndo } from "../audit/updates/undo-automatic.ts";
import type { HostChanger } from "../kernel/host-changer.ts";

/** What came of it. `changed`: something was written, removed, started or stopped. */
export type Reached =
  | { readonly kind: "Done"; readonly changed: boolean }
  /** In the words of who refused it. */
  | { readonly kind: "NotDone"; readonly reason: string };

export interface ChangedHost {
  readonly host: HostView;
  readonly changer: HostChanger;
}

/** Switches automatic updates on by the host's own mechanism, as far as they are not. Installs nothing. Never throws. */
export async function ensureAutomaticUpdates(
  { host, changer }: ChangedHost,
  policies: readonly string[],
): Promise<Reached> {
  return told(async () => {
    const plan = await planAutomaticUpdates(host, policies);
    if (plan.kind === "Impossible") return { kind: "NotDone", reason: plan.reason };
    if (plan.kind === "Nothing") return { kind: "Done", changed: false };
    let changed = false;
    for (const { path, content } of plan.files) {
      const now = await host.readFile(path);
      if (now === content) continue;
      if (now !== undefined && !isOurs(now)) return { kind: "NotDone", reason: `${path} is somebody else's` };
      await changer.writeFile(path, content);
      changed = true;
    }
    const started = await startTimers({ host, changer }, plan.timers, changed);
    return { kind: "Done", changed: changed || started };
  });
}

/**
 * Takes back what `ensureAutomaticUpdates` did, whoever's process that was: timers that it started stop, its files go. What
 * somebody switched on meanwhile stays on. Never throws.
 */
export async function undoAutomaticUpdates({ host, changer }: ChangedHost): Promise<Reached> {
  return told(async () => {
    const { timers, files } = await planUndo(host);
    if (files.length === 0) return { kind: "Done", changed: false };
    const systemd = await systemdRuns(host);
    for (const timer of systemd ? timers : []) await changer.systemctl(["stop", timer]);
    for (const path of files) await changer.removeFile(path);
    if (systemd) await changer.systemctl(["daemon-reload"]);
    return { kind: "Done", changed: true };
  });
}

/** Where systemd does not run, they begin when it does. */
async function startTimers(
  { host, changer }: ChangedHost,
  timers: readonly string[],
  written: boolean,
): Promise<boolean> {
  if (!(await systemdRuns(host))) return false;
  if (written) await changer.systemctl(["daemon-reload"]);
  let started = false;
  for (const timer of timers) {
    if (await isRunning(host, timer)) continue;
    await changer.systemctl(["start", timer]);
    started = true;
  }
  return started;
}

/** Neither enforcement nor an audit fails by it: what kept it from being done is told where it is looked for. */
async function told(act: () => Promise<Reached>): Promise<Reached> {
  try {
    return await act();
  } catch (error) {
    return { kind: "NotDone", reason: error instanceof Error ? error.message : String(error) };
  }
}
