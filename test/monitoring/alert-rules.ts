import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

export const alertsFile = join(import.meta.dirname, "../../deploy/monitoring/alerts.yaml");

const alertSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.string() }),
});
const recordSchema = z.strictObject({ record: z.string(), expr: z.string() });
const fileSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([alertSchema, recordSchema])) })),
});

type Alert = z.output<typeof alertSchema>;

function rules() {
  return fileSchema.parse(parse(readFileSync(alertsFile, "utf8"))).groups.flatMap((group) => group.rules);
}

/** Those that alert, by name. */
export function alerts(): ReadonlyMap<string, Alert> {
  return new Map(rules().flatMap((rule) => ("alert" in rule ? [[rule.alert, rule] as const] : [])));
}

/** Expressions of all rules, and the names that rules record under. */
export function expressions(): { readonly expressions: readonly string[]; readonly recorded: readonly string[] } {
  return {
    expressions: rules().map(({ expr }) => expr),
    recorded: rules().flatMap((rule) => ("record" in rule ? [rule.record] : [])),
  };
}
