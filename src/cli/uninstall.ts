import { Command } from "commander";
import { uninstall } from "../controller/uninstall.ts";
import { kubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/kube-config.ts";
import { remedyOf } from "../telemetry/missing-right.ts";
import { wholeNumber } from "./option-values.ts";
import { programVersion } from "./program-version.ts";

interface UninstallFlags {
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly timeoutSeconds: number;
}

/** `porthardening uninstall`: has every agent clear its node, while there are agents; `helm uninstall` runs it first. */
export function uninstallCommand(): Command {
  return new Command("uninstall")
    .description(
      "Has all agents clear their nodes, and waits for it; policies stay. To be run before the operator is removed. " +
        "Exit code 0: all nodes are clear.",
    )
    .option("--namespace <name>", "the operator's namespace", process.env["POD_NAMESPACE"] ?? "port-hardening")
    .option("--kubeconfig <file>", "absent: $KUBECONFIG, ~/.kube/config, or the pod's service account")
    .option("--timeout-seconds <n>", "how long to wait for the agents", wholeNumber(1, 3600), 120)
    .action(async ({ namespace, kubeconfig, timeoutSeconds }: UninstallFlags) => {
      const client = kubeClient(loadKubeConfig(kubeconfig), {
        userAgent: `port-hardening-uninstall/${programVersion()}`,
      });
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
      try {
        const left = await uninstall({
          client,
          namespace,
          timeoutMilliseconds: timeoutSeconds * 1_000,
          onProgress: (what) => process.stderr.write(`${what}\n`),
          signal: stop.signal,
        });
        if (left.length === 0) return;
        const named = left.slice(0, 20).join(", ") + (left.length > 20 ? `, and ${left.length - 20} more` : "");
        throw new Error(
          `${left.length} nodes did not say within ${timeoutSeconds} s that they are clear: ${named}. ` +
            "See why (kubectl get phnode -o wide), or go on without them (helm uninstall --no-hooks) and run porthardening cleanup on each",
        );
      } catch (error) {
        const remedy = error instanceof Error ? remedyOf(error) : undefined;
        if (!(error instanceof Error) || remedy === undefined) throw error;
        const otherwise = "or go on without (helm uninstall --no-hooks) and run porthardening cleanup on each node";
        throw new Error(`not all nodes are clear: ${error.message}; ${remedy}; ${otherwise}`, { cause: error });
      } finally {
        await client.close();
      }
    });
}
