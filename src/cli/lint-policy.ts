import type { PortHardeningPolicy } from "../api/policy.ts";
import { compile } from "../plan/compile.ts";
import type { Plan } from "../plan/types.ts";
import { lintDirection, type Warning } from "./lint-direction.ts";
import { lintLimits } from "./lint-limits.ts";

/** The policy's plan on a node that it selects, whatever this install's sysctls. */
export function planAnywhere({ spec: { nodeSelector: _, ...spec }, ...policy }: PortHardeningPolicy): Plan {
  const everywhere = { ...policy, spec };
  const plan = compile(everywhere, { name: "any", labels: {} }, { allowedSysctls: Object.keys(spec.sysctls ?? {}) });
  if (plan === undefined) throw new Error("a policy without nodeSelector selects every node");
  return plan;
}

/** What in one policy is without effect, whatever else is in force. */
export function lintPolicy(policy: PortHardeningPolicy, { inbound, outbound, rateLimits }: Plan): Warning[] {
  return [
    ...(inbound === undefined ? [] : lintDirection(policy, "inbound", inbound)),
    ...(outbound === undefined ? [] : lintDirection(policy, "outbound", outbound)),
    ...lintLimits(policy, rateLimits),
  ];
}
