import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { localHost } from "../kernel/local-host.ts";

/** Filled in by the bundler (scripts/bundle.ts), which puts the script beside the bundle; absent where the sources run. */
declare const BUNDLED_VERSION: string | undefined;

/** `src/guard/guard.sh`, wherever this runs. */
export function guardScript(): string {
  const place = typeof BUNDLED_VERSION === "string" ? "./guard.sh" : "../guard/guard.sh";
  return fileURLToPath(new URL(place, import.meta.url));
}

/** A roll-back of the largest rule set takes seconds. */
const TIMEOUT_MILLISECONDS = 60_000;

/** Starts a guard in a session of its own, so that it outlives this process and its terminal; it ends when nothing is armed. */
export async function startGuard(folder: string): Promise<void> {
  const child = spawn("sh", [guardScript(), folder, "settled"], { detached: true, stdio: "ignore", cwd: "/" });
  await once(child, "spawn");
  child.unref();
}

/** Does what is due in the guard's folder, where no guard does. */
export async function runGuardOnce(folder: string): Promise<void> {
  await localHost().run("sh", [guardScript(), folder, "once"], { timeoutMilliseconds: TIMEOUT_MILLISECONDS });
}
