import { contentHash } from "./content-hash.ts";
import type { Assigned, AssignedPolicy, WrittenPlan } from "./types.ts";

type Revision = Pick<AssignedPolicy, "priority" | "mode"> & { readonly plan: object };

/**
 * The revision of a policy on a node: 16 hex digits that change with priority, mode or plan and with nothing else. No version
 * of the operator is in it: an upgrade is a change where it compiles to something else, or writes it in another format.
 */
export function planHash({ priority, mode, plan }: Revision): string {
  return contentHash({ priority, mode, plan }, 16);
}

/** What of a policy `assign` needs. A policy from a file has no uid. */
export interface PolicyIdentity {
  readonly metadata: { readonly name: string; readonly uid?: string | undefined };
  readonly spec: Pick<AssignedPolicy, "priority" | "mode">;
}

/** The element of NodeState.spec.policies that hands `plan` to the agent. */
export function assign<P extends WrittenPlan>({ metadata, spec }: PolicyIdentity, plan: P): Assigned<P> {
  const { priority, mode } = spec;
  const hash = planHash({ priority, mode, plan });
  return { name: metadata.name, uid: metadata.uid ?? "", hash, priority, mode, plan };
}
