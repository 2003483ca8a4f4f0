import type { PolicySpec } from "../api/policy.ts";
import { CompileError } from "./compile-error.ts";
import { compilePeerList } from "./compile-peers.ts";
import { normaliseInterfaces } from "./interfaces.ts";
import { parsePorts } from "./ports.ts";
import { inOrder } from "./protocols.ts";
import type { MaxConcurrent, NewConnections, PlanLimit } from "./types.ts";

type LimitSpec = NonNullable<PolicySpec["rateLimits"]>[number];

/** A /64 is what one IPv6 subscriber has at least (RFC 6177): by address, each would have 2^64 budgets. */
const SOURCE = { ipv4: 32, ipv6: 64 } as const;
const TOTAL = { ipv4: 0, ipv6: 0 } as const;

/** Throws CompileError where this version does not know what the limit counts. */
export function compileLimit(policy: string, limit: LimitSpec): PlanLimit {
  return {
    name: limit.name,
    ports: parsePorts(limit.ports ?? ["1024-65535"]),
    protocols: inOrder(limit.protocols ?? ["TCP"]),
    interfaces: normaliseInterfaces(limit.interfaces),
    prefixLength: sourceOf(limit),
    // A peer that is not understood exempts nobody, as it would let nobody in.
    exempt: compilePeerList(limit.exempt ?? [], () => undefined),
    ...measureOf(policy, limit),
  };
}

function sourceOf({ scope, prefixLength: { ipv4, ipv6 } = {} }: LimitSpec): PlanLimit["prefixLength"] {
  return scope === "Total" ? TOTAL : { ipv4: ipv4 ?? SOURCE.ipv4, ipv6: ipv6 ?? SOURCE.ipv6 };
}

function measureOf(policy: string, limit: LimitSpec): NewConnections | MaxConcurrent {
  const { name, newConnections, maxConcurrent } = limit;
  if (newConnections !== undefined) return { newConnections };
  if (maxConcurrent !== undefined) return { maxConcurrent };
  throw new CompileError(
    policy,
    `spec.rateLimits[${name}]`,
    "counts nothing that this version knows; upgrade the operator or drop the limit",
  );
}
