import { compileEnforcement, type Enforcement } from "../../../src/agent/enforcement.ts";
import { type ExistingGuard, existingGuard } from "../../../src/agent/existing.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { assignedOf, type Enforcer } from "./enforcer.ts";

export interface CuttingEnforcer {
  /** As the agent goes about it: rules, then a look at what is open, then the rules with what that found. */
  enforce(specs: Readonly<Record<string, object>>, groups?: readonly GroupAddresses[]): Promise<void>;
  readonly guard: ExistingGuard;
}

/** One that knows nothing yet, as after a start of the agent. */
export function cuttingEnforcer({ kernel }: Enforcer): CuttingEnforcer {
  const log = createLogger({ name: "test", level: "fatal" });
  const guard = existingGuard({ kernel, log, now: Date.now, countAfterMilliseconds: 0 });
  return {
    guard,
    async enforce(specs, groups = []) {
      const aim = compileEnforcement(assignedOf(specs), { present: groups, before: [] }, DEFAULT_NODE_SETTINGS);
      const apply = async (): Promise<Enforcement> => {
        const enforcement = await guard.complete(aim);
        await kernel.apply(enforcement.rules);
        return enforcement;
      };
      const held = await apply();
      guard.changed(held);
      if (await guard.look(held)) await apply();
      if (guard.failure !== undefined) throw guard.failure;
    },
  };
}
