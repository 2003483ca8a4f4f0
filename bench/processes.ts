import { readFileSync } from "node:fs";
import type { LabProcess } from "../test/lab/lab-process.ts";

/** Resident memory of a process in MiB (VmRSS of /proc/PID/status, proc(5)). */
export function residentMebibytes({ pid }: LabProcess): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no VmRSS: has it ended?`);
  return Number(kibibytes) / 1024;
}
