import { byName } from "../plan/text-order.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import { type ChangeKind, eachKey, type ListChange, listChange } from "./list-change.ts";
import { policyFields } from "./policy-fields.ts";

/** `path` as in the policy's spec: `inbound.allow[office]`, `sysctls[net.ipv4.tcp_syncookies]`. */
export interface FieldChange extends ListChange {
  readonly path: string;
  readonly change: ChangeKind;
}

export interface PolicyChange {
  readonly policy: string;
  readonly change: ChangeKind;
  readonly fields: readonly FieldChange[];
}

/** What differs between the policies that a node has and those that it would have, by name. */
export function policyChanges(before: readonly AssignedPolicy[], after: readonly AssignedPolicy[]): PolicyChange[] {
  const named = (policies: readonly AssignedPolicy[]) =>
    new Map(policies.toSorted(byName).map((policy) => [policy.name, policy]));
  return eachKey(named(before), named(after)).flatMap(({ key, change, was, is }) => {
    // The hash covers all but the uid: a policy that was made anew with the same content changes nothing.
    if (was?.hash === is?.hash) return [];
    return [{ policy: key, change, fields: fieldChanges(was, is) }];
  });
}

function fieldChanges(was: AssignedPolicy | undefined, is: AssignedPolicy | undefined): FieldChange[] {
  const fields = (policy: AssignedPolicy | undefined) => (policy === undefined ? new Map() : policyFields(policy));
  return eachKey<readonly string[]>(fields(was), fields(is)).flatMap(({ key, change, was: had = [], is: has = [] }) => {
    const difference = listChange(had, has);
    const same = change === "Changed" && difference.added.length + difference.removed.length === 0;
    return same ? [] : [{ path: key, change, ...difference }];
  });
}
