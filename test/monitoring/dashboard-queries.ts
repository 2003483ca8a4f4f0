import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const schema = z.looseObject({
  templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string(), query: z.unknown() })) }),
  panels: z.array(z.looseObject({ targets: z.array(z.looseObject({ expr: z.string() })).optional() })),
});

const file = schema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../../deploy/monitoring/dashboard.json"), "utf8")),
);

/** Queries of the dashboard as Grafana would send them, with `values` for its variables. */
export function dashboardQueries(values: Readonly<Record<string, string>>): string[] {
  return file.panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll(/\$(\w+)/g, (variable, name: string) => values[name] ?? variable)),
  );
}

/** `label_values(selector, label)` of its variables. */
export function variableQueries(): { readonly name: string; readonly selector: string; readonly label: string }[] {
  return file.templating.list.flatMap(({ name, query }) => {
    const { query: text = "" } = z.object({ query: z.string() }).safeParse(query).data ?? {};
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
    return selector === undefined || label === undefined ? [] : [{ name, selector, label }];
  });
}
