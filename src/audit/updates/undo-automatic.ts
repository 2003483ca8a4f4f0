import type { HostView } from "../host-view.ts";
import { isOurs, OWN_FILES, ranBefore, TIMERS_FILE } from "./own-files.ts";
import { observeTimer, wantedUnits } from "./systemd-timer.ts";

/** What takes back all that was written where automatic updates were switched on. */
export interface UndoPlan {
  /** Stopped first, so that what is interrupted is found again by the files. */
  readonly timers: readonly string[];
  readonly files: readonly string[];
}

/** A timer that somebody else enables too, or that ran before, goes on. What stands under our names but is not ours stays. */
export async function planUndo(host: HostView): Promise<UndoPlan> {
  const files: string[] = [];
  const timers: string[] = [];
  for (const path of OWN_FILES) {
    const content = await host.readFile(path);
    if (content === undefined || !isOurs(content)) continue;
    files.push(path);
    if (path !== TIMERS_FILE) continue;
    for (const timer of wantedUnits(content)) {
      const enabled = (await observeTimer(host, timer, { without: path })) !== "Off";
      if (!enabled && !ranBefore(content).includes(timer)) timers.push(timer);
    }
  }
  return { timers, files };
}
