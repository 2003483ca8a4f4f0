import type { AssignedPolicy } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type Charges, stillCharged } from "./charges.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What was rolled back, in memory and on disk: a restart must not try it again. */
export interface Charged {
  readonly list: readonly Charges[];
  /** Grows with each change of the list. */
  readonly revision: number;
  load(): Promise<void>;
  /** Holds from now on, whatever the disk says. */
  add(charges: Charges): Promise<void>;
  /** Forgets what cannot come up again; the disk follows. */
  keep(assigned: readonly AssignedPolicy[]): Promise<void>;
}

export function charged(directory: Pick<StateDirectory, "loadCharges" | "saveCharges">, log: Logger): Charged {
  let list: readonly Charges[] = [];
  let revision = 0;

  async function set(next: readonly Charges[]): Promise<void> {
    list = next;
    revision += 1;
    try {
      await directory.saveCharges(next);
    } catch (err) {
      // After a restart it is tried, and rolled back, once more.
      log.error({ err }, "what was rolled back is not saved");
    }
  }

  return {
    get list() {
      return list;
    },
    get revision() {
      return revision;
    },
    async load() {
      list = await directory.loadCharges();
    },
    add: (charges) => set([...list, charges]),
    async keep(assigned) {
      const next = stillCharged(list, assigned);
      if (next !== list) await set(next);
    },
  };
}
