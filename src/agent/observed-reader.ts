import type { ObservedOnNode, WantedOnNode } from "../api/observed.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { WantedSetting } from "../plan/observed-types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { DropReader } from "./drop-reader.ts";
import type { Enforcement } from "./enforcement.ts";
import { topEntries, withTopPeers } from "./observed-entries.ts";
import { differingSettings } from "./wanted-settings.ts";

/** What policies in mode Observe would change, of what the kernel holds. */
export interface ObservedReader {
  /** Takes a reading of all counters, and of the addresses with it, so that both tell the same. Never throws. */
  read(): Promise<void>;
  isObserving(policy: string): boolean;
  settings(): readonly WantedSetting[];
  /** As read last, against sysctls as measured. */
  status(sysctls: ReadonlyMap<string, string | undefined>): {
    readonly observed: readonly ObservedOnNode[];
    readonly wouldSet: readonly WantedOnNode[];
  };
}

export function observedReader({
  kernel,
  drops,
  held,
  log,
}: {
  readonly kernel: Pick<Kernel, "topAddresses">;
  readonly drops: DropReader;
  readonly held: () => Enforcement | undefined;
  readonly log: Logger;
}): ObservedReader {
  let entries: readonly ObservedOnNode[] = [];
  const isObserving = (policy: string): boolean => held()?.plan.observed?.policies.includes(policy) === true;
  const settings = (): readonly WantedSetting[] => held()?.plan.observed?.settings ?? [];

  return {
    async read() {
      await drops.read();
      const { Drop, Open } = drops.observed;
      entries = await withTopPeers(topEntries(Drop.entries(), Open.entries()), held()?.rules, kernel, log);
    },
    isObserving,
    settings,
    status: (sysctls) => ({
      observed: entries.filter(({ policy }) => isObserving(policy)),
      wouldSet: differingSettings(settings(), sysctls),
    }),
  };
}
