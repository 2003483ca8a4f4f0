/** Reads the sockets of this namespace again and again, and prints as JSON what it saw and what a pass cost in CPU, processes that it started included. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { listenerWatch } from "../../../src/audit/listeners/listener-watch.ts";
import { localHostView } from "../../../src/kernel/local-host-view.ts";
import { socketReader } from "../../../src/kernel/socket-reader.ts";

/** The pass that is made again and again is measured best. */
const WATCH_PASSES = 20;
const PASSES = 4;
/** USER_HZ: what /proc counts in, on every architecture that Node knows. */
const TICK_MILLISECONDS = 10;

/** utime, stime, cutime and cstime: fields 14 to 17 of /proc/self/stat (proc(5)). */
function cpuMilliseconds(): number {
  const fields = readFileSync("/proc/self/stat", "latin1").split(") ")[1]?.split(" ").slice(11, 15) ?? [];
  return fields.map(Number).reduce((sum, ticks) => sum + ticks, 0) * TICK_MILLISECONDS;
}

async function timed<T>(pass: () => Promise<T>, passes: number) {
  const value = await pass();
  const from = cpuMilliseconds();
  for (let done = 0; done < passes; done += 1) await pass();
  return { value, milliseconds: (cpuMilliseconds() - from) / passes };
}

const viaKernel = socketReader();
const viaProc = socketReader({ ss: "/there/is/no/ss" });
const host = localHostView();
const watch = listenerWatch(host, viaKernel);
const passes = {
  watch: () => watch.observe(),
  firstSight: () => listenerWatch(host, viaKernel).observe(),
  listening: () => viaKernel.listening(),
  listeningFromProc: () => viaProc.listening(),
  connections: () => viaKernel.connections(),
  connectionsFromProc: () => viaProc.connections(),
};
const measured: Record<string, object> = {};
for (const [name, pass] of Object.entries(passes)) {
  const { value, milliseconds } = await timed<unknown>(pass, name === "watch" ? WATCH_PASSES : PASSES);
  const seen = (Array.isArray(value) ? value : (value as { all: unknown[] }).all) as unknown[];
  const sorted = seen.map((one) => JSON.stringify(one)).toSorted();
  const digest = createHash("sha256").update(sorted.join("\n")).digest("hex");
  measured[name] = { milliseconds, seen: seen.length, digest, first: seen[0] };
}
process.stdout.write(`${JSON.stringify(measured)}\n`);
