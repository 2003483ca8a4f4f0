import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

const schema = z.strictObject({
  scrape_configs: z.array(
    z.looseObject({
      kubernetes_sd_configs: z.tuple([
        z.strictObject({ role: z.literal("pod"), namespaces: z.strictObject({ names: z.tuple([z.string()]) }) }),
      ]),
    }),
  ),
});

/** A pod of the operator, as Prometheus would discover it. */
export interface Pod {
  readonly component: "agent" | "controller";
  readonly address: string;
  readonly node: string;
}

/**
 * The scrape configuration of docs/metrics.md with the pods in place of their discovery, which Debian's Prometheus is built
 * without: each has the labels that discovery gives it. All that is made of these is as documented.
 */
export function documentedScrape(pods: readonly Pod[]): object[] {
  const text = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const block = /```yaml\n(scrape_configs:[^`]*)```/.exec(text)?.[1] ?? "";
  return schema.parse(parse(block)).scrape_configs.map(({ kubernetes_sd_configs: _, ...job }) => ({
    ...job,
    static_configs: pods.map(({ component, address, node }) => ({
      targets: [address],
      labels: {
        __meta_kubernetes_pod_label_app_kubernetes_io_component: component,
        __meta_kubernetes_pod_host_ip: address,
        __meta_kubernetes_pod_ip: address,
        __meta_kubernetes_pod_node_name: node,
      },
    })),
  }));
}
