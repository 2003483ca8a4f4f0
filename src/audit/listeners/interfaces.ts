import type { HostView } from "../host-view.ts";

/** The network interfaces of the namespace that this process is in, lo too (proc(5), /proc/net/dev). */
export async function observeInterfaces(host: HostView): Promise<readonly string[]> {
  const lines = ((await host.readFile("/proc/net/dev")) ?? "").split("\n");
  return lines.flatMap((line) => /^ *([^ :]+):/.exec(line)?.[1] ?? []);
}
