/** Values of which a node can have only one: the first policy by precedence wins, the others hear of it (DESIGN 4). */
import { canonicalJson } from "./canonical-json.ts";
import type { Conflict, NodePlan } from "./node-plan.ts";
import type { WantedSetting } from "./observed-types.ts";
import { formatReservedPorts, LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS } from "./port-sysctls.ts";
import { unionPorts } from "./ports.ts";
import { compareText } from "./text-order.ts";
import type { AssignedPolicy } from "./types.ts";

interface Claim<T> {
  readonly policy: AssignedPolicy;
  readonly value: T;
}

export type MergedScalars = Pick<NodePlan, "ephemeralPorts" | "sysctls" | "persist" | "conflicts">;

/**
 * Expects `policies` by precedence. Only those that enforce set anything; but one that observes hears of what it would
 * lose to any other.
 */
export function mergeScalars(policies: readonly AssignedPolicy[]): MergedScalars {
  const enforced = mergeAll(policies.filter(({ mode }) => mode === "Enforce"));
  const observing = new Set(policies.filter(({ mode }) => mode === "Observe").map(({ name }) => name));
  if (observing.size === 0) return enforced;
  const lost = mergeAll(policies).conflicts.filter(({ policy }) => observing.has(policy));
  return { ...enforced, conflicts: [...enforced.conflicts, ...lost] };
}

/** Values that policies in mode Observe would set, expected by precedence; those that enforce win over them as ever. */
export function observedSettings(policies: readonly AssignedPolicy[]): WantedSetting[] {
  const observing = policies.filter(({ mode }) => mode === "Observe");
  if (observing.length === 0) return [];
  const all = mergeAll(policies);
  const { range } = all.ephemeralPorts;
  const equal = [
    ...(range === undefined ? [] : [{ ...range, key: LOCAL_PORT_RANGE, value: `${range.from} ${range.to}` }]),
    ...all.sysctls,
  ];
  return [
    ...equal
      .filter(({ policy }) => observing.some(({ name }) => name === policy))
      .map(({ policy, key, value }) => ({ policy, key, value, match: "Equal" as const })),
    ...observing.flatMap(({ name, plan: { ephemeralPorts } }) => {
      const value = formatReservedPorts(ephemeralPorts?.reserved ?? []);
      return value === "" ? [] : [{ policy: name, key: LOCAL_RESERVED_PORTS, value, match: "Contains" as const }];
    }),
  ];
}

/** Range and reserved ports as they would be. */
export function observedPortScalars(policies: readonly AssignedPolicy[]): MergedScalars["ephemeralPorts"] {
  return mergeAll(policies).ephemeralPorts;
}

/**
 * Whatever their modes. A key goes into sysctl.d where the policy that won it persists: sysctls follow
 * `ephemeralPorts.persist` too, as one policy has one answer to "keep over a reboot"; absent means yes. Reserved ports
 * are a union, kept as a whole where any policy that reserves some persists.
 */
function mergeAll(policies: readonly AssignedPolicy[]): MergedScalars {
  const range = claims(policies, ({ plan }) => plan.ephemeralPorts?.range);
  const podRange = claims(policies, ({ plan: { ephemeralPorts } }) =>
    ephemeralPorts?.pods === "Inject" ? ephemeralPorts.range : undefined,
  );
  const keys = [...new Set(policies.flatMap(({ plan }) => Object.keys(plan.sysctls)))].toSorted(compareText);
  const sysctls = keys.map((key) => ({ key, claims: claims(policies, ({ plan }) => own(plan.sysctls, key)) }));
  const reserving = policies.filter(({ plan }) => (plan.ephemeralPorts?.reserved.length ?? 0) > 0);

  const [rangeWinner] = range;
  const [podRangeWinner] = podRange;
  const winners = sysctls.flatMap(({ key, claims: [winner] }) => (winner === undefined ? [] : [{ key, ...winner }]));
  const persist = [
    ...winners.filter(({ policy }) => persists(policy)).map(({ key }) => key),
    ...(rangeWinner !== undefined && persists(rangeWinner.policy) ? [LOCAL_PORT_RANGE] : []),
    ...(reserving.some(persists) ? [LOCAL_RESERVED_PORTS] : []),
  ];
  return {
    ephemeralPorts: {
      ...(rangeWinner === undefined ? {} : { range: { ...rangeWinner.value, policy: rangeWinner.policy.name } }),
      ...(podRangeWinner === undefined
        ? {}
        : { podRange: { ...podRangeWinner.value, policy: podRangeWinner.policy.name } }),
      reserved: unionPorts(...reserving.map(({ plan }) => plan.ephemeralPorts?.reserved ?? [])),
    },
    sysctls: winners.map(({ key, value, policy }) => ({ key, value, policy: policy.name })),
    persist: persist.toSorted(compareText),
    conflicts: [
      ...conflicts("spec.ephemeralPorts.range", range),
      ...conflicts("spec.ephemeralPorts.pods", podRange),
      ...sysctls.flatMap(({ key, claims: all }) => conflicts(`spec.sysctls[${key}]`, all)),
    ],
  };
}

function claims<T>(policies: readonly AssignedPolicy[], read: (policy: AssignedPolicy) => T | undefined): Claim<T>[] {
  return policies.flatMap((policy) => {
    const value = read(policy);
    return value === undefined ? [] : [{ policy, value }];
  });
}

/** Policies that agree with the winner lose nothing. */
function conflicts(field: string, [winner, ...losers]: readonly Claim<unknown>[]): Conflict[] {
  if (winner === undefined) return [];
  return losers
    .filter(({ value }) => canonicalJson(value) !== canonicalJson(winner.value))
    .map(({ policy }) => ({ policy: policy.name, winner: winner.policy.name, field }));
}

function persists({ plan }: AssignedPolicy): boolean {
  return plan.ephemeralPorts?.persist ?? true;
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
