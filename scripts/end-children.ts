import { readdirSync, readFileSync } from "node:fs";
import { readStartTime } from "../test/lab/run-name.ts";

/** Kills this process's children and waits until they have ended. Synchronous, so that nothing starts new ones meanwhile. */
export function endChildren(): void {
  const children = readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
  for (const pid of children) process.kill(pid, "SIGKILL");
  const deadline = performance.now() + 5_000;
  while (children.some((pid) => readStartTime(pid) !== undefined) && performance.now() < deadline) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
}
