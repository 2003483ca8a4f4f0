import { readFileSync } from "node:fs";

/**
 * A run's name says who owns it: `ph-<pid>-<start time of that process>-<count>`, numbers in base 36. All that a run
 * leaves outside itself (named network namespaces, its temporary folder) bears the name, so what a killed run left can
 * be told from what a live one uses, without a record that could itself be lost.
 */
export interface RunOwner {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)). Tells a process from a later one with its pid. */
  readonly startTime: number;
}

let runs = 0;

export function createRunName(): string {
  const startTime = readStartTime(process.pid);
  if (startTime === undefined) throw new Error("cannot read /proc/self/stat: is /proc mounted?");
  runs += 1;
  return `ph-${process.pid.toString(36)}-${startTime.toString(36)}-${runs.toString(36)}`;
}

/** Parses a run's name, or a name that begins with one (`<run>-node1`). Undefined for a name that is not ours. */
export function parseRunName(name: string): { readonly run: string; readonly owner: RunOwner } | undefined {
  const match = /^ph-([0-9a-z]+)-([0-9a-z]+)-[0-9a-z]+(?=-|$)/.exec(name);
  const [run, pid, startTime] = match ?? [];
  if (run === undefined || pid === undefined || startTime === undefined) return undefined;
  return { run, owner: { pid: Number.parseInt(pid, 36), startTime: Number.parseInt(startTime, 36) } };
}

export function isAlive(owner: RunOwner): boolean {
  return readStartTime(owner.pid) === owner.startTime;
}

/** Undefined for a process that has ended. */
export function readStartTime(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // No such process.
  }
  // The command name, in brackets, may hold spaces: count from behind it. A zombie no longer owns anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : Number(fields[19]);
}
