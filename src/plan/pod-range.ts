import { mergeScalars } from "./merge-scalars.ts";
import { byPrecedence } from "./precedence.ts";
import type { AssignedPolicy, PortRange } from "./types.ts";

/** The range that new pods of the cluster get, and whose it is; undefined where no policy enforces one. */
export function podRange(policies: readonly AssignedPolicy[]): (PortRange & { readonly policy: string }) | undefined {
  return mergeScalars(policies.toSorted(byPrecedence)).ephemeralPorts.podRange;
}
