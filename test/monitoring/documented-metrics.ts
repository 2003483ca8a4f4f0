import { readFileSync } from "node:fs";
import { join } from "node:path";

const tree = join(import.meta.dirname, "../..");

export interface DocumentedMetric {
  readonly type: string;
  readonly labels: readonly string[];
}

/** Rows of the tables in docs/metrics.md, by the heading that they stand under, by name. */
export function documentedMetrics(): ReadonlyMap<string, ReadonlyMap<string, DocumentedMetric>> {
  const sections = readFileSync(join(tree, "docs/metrics.md"), "utf8").split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const rows = [...section.matchAll(/^\| `(port_hardening_\w+)` \| (\w+) \|([^|]*)\| \S.*\|$/gm)];
      const metrics = rows.map(([, name = "", type = "", labels = ""]) => {
        return [name, { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label) }] as const;
      });
      return [section.slice(0, section.indexOf("\n")), new Map(metrics)] as const;
    }),
  );
}
