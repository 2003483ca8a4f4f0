import type { Family } from "../plan/node-plan.ts";
import type { Host } from "./host.ts";
import type { LimitSources } from "./kernel.ts";

/** Where xt_hashlimit shows its tables: a file for each, a line in it for each source. */
const FOLDERS: readonly (readonly [Family, string])[] = [
  [4, "/proc/net/ipt_hashlimit"],
  [6, "/proc/net/ip6t_hashlimit"],
];

/** One file after another: a full table is 6 MB of text, which the kernel writes for 150 ms. */
export async function observeLimitSources(host: Host, tables: readonly string[]): Promise<LimitSources[]> {
  const found: LimitSources[] = [];
  for (const table of tables) {
    for (const [family, folder] of FOLDERS) {
      const sources = await host.countLines(`${folder}/${table}`);
      if (sources !== undefined) found.push({ table, family, sources });
    }
  }
  return found;
}
