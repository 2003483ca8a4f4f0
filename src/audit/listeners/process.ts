import { printable } from "../../api/printable.ts";
import type { HostView } from "../host-view.ts";
import { type CgroupPlace, parseCgroup } from "./cgroup.ts";

/** A process of the host, as far as /proc shows it. */
export interface Process extends CgroupPlace {
  readonly pid: number;
  /** As the kernel knows it and `ss -p` prints it: at most 15 characters, and the process may change it. */
  readonly name: string;
  /** Where its program lies, in its own mounts; absent for kernel threads. */
  readonly executable?: string;
  /** The user that it runs as now: its effective one. */
  readonly uid: number;
  /** When it began, in clock ticks since the boot (proc(5), starttime): with the pid it names one process for good. */
  readonly startTicks?: number;
}

/** Undefined where it has ended meanwhile. */
export async function observeProcess(host: HostView, pid: number): Promise<Process | undefined> {
  const status = await host.readFile(`/proc/${pid}/status`);
  const cgroup = await host.readFile(`/proc/${pid}/cgroup`);
  if (status === undefined || cgroup === undefined) return undefined;
  // Behind the name, which may hold anything, stands the third field (proc(5)).
  const startTicks = (await host.readFile(`/proc/${pid}/stat`))?.split(") ").at(-1)?.split(" ")[22 - 3];
  const executable = (await host.readLink(`/proc/${pid}/exe`))?.replace(/ \(deleted\)$/, "");
  return {
    pid,
    name: printable(/^Name:\t(.*)$/m.exec(status)?.[1] ?? ""),
    // Real, effective, saved and file system user (proc(5)).
    uid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]),
    ...(executable !== undefined && { executable: printable(executable) }),
    ...(startTicks !== undefined && { startTicks: Number(startTicks) }),
    ...parseCgroup(cgroup.split("\n").map(printable).join("\n")),
  };
}
