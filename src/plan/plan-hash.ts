import { contentHash } from "./content-hash.ts";
import type { AssignedPolicy, Plan } from "./types.ts";

type Revision = Pick<AssignedPolicy, "priority" | "mode"> & { readonly plan: object };

/** The revision of a policy on a node: 16 hex digits that change with priority, mode or plan and with nothing else. */
export function planHash({ priority, mode, plan }: Revision): string {
  return contentHash({ priority, mode, plan }, 16);
}

/** What of a policy `assign` needs. A policy from a file has no uid. */
export interface PolicyIdentity {
  readonly metadata: { readonly name: string; readonly uid?: string | undefined };
  readonly spec: Pick<AssignedPolicy, "priority" | "mode">;
}

/** The element of NodeState.spec.policies that hands `plan` to the agent. */
export function assign({ metadata, spec }: PolicyIdentity, plan: Plan): AssignedPolicy {
  const { priority, mode } = spec;
  const hash = planHash({ priority, mode, plan });
  return { name: metadata.name, uid: metadata.uid ?? "", hash, priority, mode, plan };
}
