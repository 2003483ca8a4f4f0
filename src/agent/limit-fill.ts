import type { Kernel } from "../kernel/kernel.ts";
import type { Family, NodePlan } from "../plan/node-plan.ts";
import { limitTables } from "../render/hashlimit.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How full the table of a limit is in one family. A full one refuses sources that it does not know. */
export interface LimitFill {
  readonly policy: string;
  readonly limit: string;
  readonly family: Family;
  readonly sources: number;
  readonly max: number;
}

/** Of all limits on new connections in `plan`. Never throws: empty where they cannot be read. */
export async function readLimitFills(
  kernel: Pick<Kernel, "limitSources">,
  plan: Pick<NodePlan, "rateLimits">,
  log: Logger,
): Promise<LimitFill[]> {
  const tables = limitTables(plan);
  try {
    const found = await kernel.limitSources(tables.map(({ name }) => name));
    return tables.flatMap(({ policy, limit, name, max }) =>
      found
        .filter(({ table }) => table === name)
        .map(({ family, sources }) => ({ policy, limit, family, sources, max: max[family] })),
    );
  } catch (err) {
    // The fill informs; a scrape goes without it.
    log.warn({ err }, "rate limit tables not read");
    return [];
  }
}
