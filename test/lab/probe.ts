import { join } from "node:path";
import type { ProbeResult, ProbeTarget } from "../../src/audit/protocols/probe.ts";
import type { Patience } from "../../src/audit/protocols/step.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

const script = join(import.meta.dirname, "probe-process.ts");

/** Probes listeners of the namespace from within it, a few at once. */
export async function probe(
  host: NetworkNamespace,
  targets: readonly ProbeTarget[],
  patience: Partial<Patience> = {},
): Promise<ProbeResult[]> {
  const list = JSON.stringify(targets.map((target, identity) => ({ ...target, name: "", identity: `${identity}` })));
  const { stdout } = await host.exec(process.execPath, [script, list, JSON.stringify(patience)], {
    timeoutMilliseconds: 55_000,
  });
  return JSON.parse(stdout);
}
