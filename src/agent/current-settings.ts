import { isDeepStrictEqual } from "node:util";
import type { Kernel } from "../kernel/kernel.ts";
import type { Failsafes } from "../plan/node-plan.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What was fixed at install, completed by what the node shows. */
export interface CurrentSettings {
  /** The same object until something differs. */
  readonly current: NodeSettings;
  /** Somebody wrote rules: one of them may overwrite the mark that says what to reject. */
  outdated(): void;
  /** What passes before any policy, the node's own findings included. */
  pass(failsafes: Failsafes): void;
  /** Looks at the node where that is due. True where `current` became another. Never throws. */
  refresh(): Promise<boolean>;
}

export function currentSettings({
  kernel,
  installed,
  log,
}: {
  readonly kernel: Pick<Kernel, "rejectObstacle">;
  readonly installed: NodeSettings;
  readonly log: Logger;
}): CurrentSettings {
  let current = installed;
  let due = true;
  return {
    get current() {
      return current;
    },
    outdated() {
      due = true;
    },
    pass(failsafes) {
      if (isDeepStrictEqual(failsafes, current.failsafes)) return;
      current = { ...current, failsafes };
      log.info({ found: namesFound(failsafes) }, "what passes before any policy has changed");
    },
    async refresh() {
      if (!due) return false;
      due = false;
      try {
        const rejectObstacle = await kernel.rejectObstacle();
        if (rejectObstacle === current.rejectObstacle) return false;
        current = { ...current, rejectObstacle };
        log.info({ rejectObstacle }, "whether inbound traffic can be rejected has changed");
        return true;
      } catch (err) {
        // Rules stand as they are, and the next event asks again.
        log.warn({ err }, "whether inbound traffic can be rejected is not known");
        return false;
      }
    },
  };
}

function namesFound({ inbound, outbound }: Failsafes): string[] {
  return [...inbound, ...outbound].flatMap(({ name, origin }) => (origin === "Found" ? name : []));
}
