import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../.cache/monitoring/usr/bin");

/** Path of a program that `sh scripts/setup.sh monitoring` extracted. */
export function monitoringProgram(name: "prometheus" | "promtool"): string {
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`no ${name}: run sh scripts/setup.sh monitoring`);
  return path;
}
