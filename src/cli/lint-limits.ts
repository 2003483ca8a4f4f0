import type { PortHardeningPolicy } from "../api/policy.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import type { Failsafe } from "../plan/node-plan.ts";
import { containsPorts } from "../plan/ports.ts";
import type { PlanLimit } from "../plan/types.ts";
import { matchesEverybody } from "./entry-cover.ts";
import { interfaceWarnings, sharedWords, type Warning } from "./lint-direction.ts";

/** What of a policy's limits is without effect. */
export function lintLimits(
  { spec }: PortHardeningPolicy,
  limits: readonly PlanLimit[],
  failsafes: readonly Failsafe[],
): Warning[] {
  return limits.flatMap((limit, index) => {
    const path = `spec.rateLimits[${(spec.rateLimits ?? []).findIndex(({ name }) => name === limit.name)}]`;
    const twin = limits.slice(0, index).find((other) => sameButName(other, limit));
    const spared = failsafes.filter(
      ({ peers, protocol, ports }) =>
        peers === "Everybody" && limit.protocols.includes(protocol) && containsPorts(ports, limit.ports),
    );
    return [
      ...interfaceWarnings(`${path}.interfaces`, limit.interfaces),
      ...(matchesEverybody(limit.exempt)
        ? [{ path: `${path}.exempt`, message: "exempts everybody, so it counts nothing" }]
        : []),
      ...(twin === undefined ? [] : [{ path, message: `has no effect: limit "${twin.name}" says the same` }]),
      ...spared.map((failsafe) => ({
        path: `${path}.ports`,
        message: `has no effect on ${sharedWords(failsafe, limit)}: failsafe "${failsafe.name}" passes before any limit`,
      })),
    ];
  });
}

function sameButName({ name: _one, ...a }: PlanLimit, { name: _other, ...b }: PlanLimit): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
