import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import * as z from "zod";
import { forwardInto } from "../lab/forwarder.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait-for.ts";
import { monitoringProgram } from "./programs.ts";

const PORT = 9090;

const samplesSchema = z.object({
  resultType: z.enum(["vector", "scalar"]),
  result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
});
const seriesSchema = z.array(z.record(z.string(), z.string()));
const targetsSchema = z.object({
  activeTargets: z.array(
    z.object({ labels: z.record(z.string(), z.string()), health: z.string(), lastError: z.string() }),
  ),
});
const metadataSchema = z.record(z.string(), z.array(z.object({ type: z.string() })));
const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
});

/** A real Prometheus at work in a lab, and what it answers. Each call throws with its words where it refuses. */
export interface Prometheus {
  /** The latest values of each series. */
  query(expression: string): Promise<z.output<typeof samplesSchema>["result"]>;
  series(selector: string): Promise<z.output<typeof seriesSchema>>;
  targets(): Promise<z.output<typeof targetsSchema>["activeTargets"]>;
  /** Types of metrics by name. */
  metadata(): Promise<z.output<typeof metadataSchema>>;
  rules(): Promise<z.output<typeof rulesSchema>["groups"][number]["rules"]>;
}

export async function startPrometheus(
  lab: Lab,
  config: { readonly scrape_configs: unknown; readonly rule_files: readonly string[] },
): Promise<Prometheus> {
  const folder = join(lab.root.folder, "prometheus");
  await mkdir(folder);
  const file = join(folder, "prometheus.yml");
  await writeFile(file, stringify({ global: { scrape_interval: "1s", evaluation_interval: "1s" }, ...config }));
  const server = await lab.root.spawn("prometheus", monitoringProgram("prometheus"), [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${PORT}`,
  ]);
  await server.waitForLog(/Server is ready to receive web requests/, 30_000);
  const { port } = await forwardInto(lab.root, { host: "127.0.0.1", port: PORT });

  async function ask<T>(schema: z.ZodType<T>, path: string, parameters: Record<string, string> = {}): Promise<T> {
    const url = `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const answer = (await response.json()) as { readonly data?: unknown; readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${answer.error}: ${Object.values(parameters).join(" ")}`);
    return schema.parse(answer.data);
  }

  await waitFor("Prometheus to answer", () => ask(targetsSchema, "targets"), { timeoutMilliseconds: 10_000 });
  return {
    query: async (query) => (await ask(samplesSchema, "query", { query })).result,
    series: (selector) => ask(seriesSchema, "series", { "match[]": selector }),
    targets: async () => (await ask(targetsSchema, "targets")).activeTargets,
    metadata: () => ask(metadataSchema, "metadata"),
    rules: async () => (await ask(rulesSchema, "rules")).groups.flatMap(({ rules }) => rules),
  };
}
