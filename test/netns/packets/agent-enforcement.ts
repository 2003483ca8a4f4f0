import { setTimeout as wait } from "node:timers/promises";
import { compileEnforcement, type Enforcement } from "../../../src/agent/enforcement.ts";
import { enforcer } from "../../../src/agent/enforcer.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** How the agent came to enforce for the first time. */
export interface FirstEnforcement {
  /** What it waited for flows under way to become known; 0: it did not prime. */
  readonly primedMilliseconds: number;
  readonly held: Enforcement | undefined;
}

/** Enforces as an agent does that has just started on a node where nothing is enforced: with its own priming. */
export async function enforceAsAgent(
  kernel: Kernel,
  policies: readonly AssignedPolicy[],
  primeMilliseconds: number,
): Promise<FirstEnforcement> {
  const one = enforcer({
    // What is tested here is what becomes of packets.
    commit: { apply: ({ rules }) => kernel.apply(rules), cleared: () => Promise.resolve() },
    kernel,
    log: createLogger({ name: "agent", level: "fatal" }),
    now: Date.now,
    primeMilliseconds,
    judgedBefore: () => false,
    complete: (enforcement) => Promise.resolve(enforcement),
    beforeReplace: () => Promise.resolve(),
    onApplied: () => undefined,
    onFailed: () => undefined,
  });
  one.aim({
    kind: "Enforce",
    enforcement: compileEnforcement(policies, { present: [], before: [] }, DEFAULT_NODE_SETTINGS),
  });
  let primedSince: number | undefined;
  while (!(await one.reach())) {
    if (one.failure !== undefined) throw one.failure;
    if (one.priming) primedSince ??= Date.now();
    await wait(Math.max(0, one.wakeAt() - Date.now()));
  }
  return { primedMilliseconds: primedSince === undefined ? 0 : Date.now() - primedSince, held: one.held };
}
