import type { DropLog } from "./node-plan.ts";
import type { AssignedPolicy } from "./types.ts";

/** Enforcing policies that want to know whom they drop. One that observes drops nobody. */
export function dropLogs(policies: readonly AssignedPolicy[]): { readonly dropLogs?: readonly DropLog[] } {
  const logs = policies.flatMap(({ name: policy, mode, plan }) =>
    mode === "Enforce" && plan.monitoring?.dropLog !== undefined ? [{ policy, ...plan.monitoring.dropLog }] : [],
  );
  return logs.length === 0 ? {} : { dropLogs: logs };
}
