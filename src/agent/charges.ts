import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import type { RuleSet } from "../render/types.ts";
import type { ChangedParts } from "./pending-change.ts";
import type { LastApplied } from "./state-directory.ts";

/** What was rolled back for what it did, and is not tried again as it is. */
export type Charges = ChangedParts & {
  /** What a person should know: what failed, before and after. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** What differs between the last confirmed state and the next. Pure. */
export function changedParts(
  last: LastApplied,
  next: LastApplied & { readonly rules: RuleSet },
): ChangedParts & { readonly timeoutSeconds: number } {
  const changed = next.policies.filter(
    ({ name, uid, hash }) =>
      !last.policies.some((before) => before.name === name && before.uid === uid && before.hash === hash),
  );
  const concerned = changed.length === 0 ? next.policies : changed;
  const timeouts = concerned.map(({ plan }) => plan.confirmTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS);
  const groups = next.groups.filter(({ name, addresses }) => {
    const before = last.groups.find((group) => group.name === name);
    return before === undefined || !isDeepStrictEqual(before.addresses, addresses);
  });
  return {
    policies: changed.map(({ name, uid, hash, retryAt }) => ({ name, uid, hash, ...(retryAt && { retryAt }) })),
    groups: groups.map((group) => ({ name: group.name, digest: groupDigest(group) })),
    rules: digestOf(next.rules),
    retries: retriesOf(next.policies),
    timeoutSeconds: timeouts.length === 0 ? DEFAULT_TIMEOUT_SECONDS : Math.max(...timeouts),
  };
}

const DEFAULT_TIMEOUT_SECONDS = 60;

/** Whether this very revision was rolled back, and nobody asked for another try since. */
export function isCharged(charges: readonly Charges[], policy: AssignedPolicy): Charges | undefined {
  return charges.find(({ policies }) =>
    policies.some(
      ({ name, uid, hash, retryAt }) =>
        name === policy.name && uid === policy.uid && hash === policy.hash && retryAt === policy.retryAt,
    ),
  );
}

/** The groups with the last confirmed content in the place of one that was rolled back. */
export function withoutCharged(
  charges: readonly Charges[],
  present: readonly GroupAddresses[],
  last: readonly GroupAddresses[],
): readonly GroupAddresses[] {
  // Those that came with policies are charged with them: a policy that is put right may need them.
  const refused = charges.filter(({ policies }) => policies.length === 0).flatMap(({ groups }) => groups);
  if (refused.length === 0) return present;
  return present.flatMap((group) => {
    const digest = refused.find(({ name }) => name === group.name)?.digest;
    if (digest === undefined || digest !== groupDigest(group)) return [group];
    return last.filter(({ name }) => name === group.name);
  });
}

/** Where neither a policy nor a group had changed (another version renders other rules), the rules themselves are refused. */
export function rulesCharged(charges: readonly Charges[], rules: RuleSet): Charges | undefined {
  const bare = charges.filter((one) => one.policies.length + one.groups.length === 0);
  if (bare.length === 0) return undefined;
  const digest = digestOf(rules);
  return bare.find((one) => one.rules === digest);
}

/**
 * Without what cannot come up again: revisions that are not assigned any more. What is charged to no policy goes when
 * somebody asks for another try of any.
 */
export function stillCharged(charges: readonly Charges[], assigned: readonly AssignedPolicy[]): readonly Charges[] {
  const left = charges.filter((one) =>
    one.policies.length === 0
      ? isDeepStrictEqual(one.retries, retriesOf(assigned))
      : assigned.some((policy) => isCharged([one], policy) !== undefined),
  );
  return left.length === charges.length ? charges : left;
}

function retriesOf(policies: readonly AssignedPolicy[]): string[] {
  return policies.flatMap(({ name, retryAt }) => (retryAt === undefined ? [] : [`${name}=${retryAt}`])).sort();
}

function groupDigest({ addresses }: GroupAddresses): string {
  return digestOf(addresses);
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}
