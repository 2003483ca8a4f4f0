import type { HostView } from "../host-view.ts";

/** When the kernel started, ms since 1970 (proc_stat(5)); undefined where /proc does not tell. */
export async function readBootTime(host: HostView): Promise<number | undefined> {
  const seconds = /^btime (\d+)$/m.exec((await host.readFile("/proc/stat")) ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
