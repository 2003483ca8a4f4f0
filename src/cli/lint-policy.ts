import type { PortHardeningPolicy } from "../api/policy.ts";
import { compile } from "../plan/compile.ts";
import type { Failsafes } from "../plan/node-plan.ts";
import { UNPRIVILEGED_PORT_START } from "../plan/port-sysctls.ts";
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
export function lintPolicy(policy: PortHardeningPolicy, plan: Plan, failsafes: Failsafes): Warning[] {
  const { inbound, outbound, rateLimits } = plan;
  return [
    ...(inbound === undefined ? [] : lintDirection(policy, "inbound", inbound, failsafes)),
    ...(outbound === undefined ? [] : lintDirection(policy, "outbound", outbound, failsafes)),
    ...lintLimits(policy, rateLimits, failsafes.inbound),
    ...rangeWarnings(plan),
  ];
}

/** The kernel refuses a range that begins among the privileged ports (net.ipv4.ip_unprivileged_port_start). */
function rangeWarnings({ ephemeralPorts, sysctls }: Pick<Plan, "ephemeralPorts" | "sysctls">): Warning[] {
  const start = sysctls[UNPRIVILEGED_PORT_START];
  if (ephemeralPorts?.range === undefined || !(ephemeralPorts.range.from < Number(start))) return [];
  const message = `begins under ${UNPRIVILEGED_PORT_START} (${start}), and the kernel refuses one of the two: begin it there`;
  return [{ path: "spec.ephemeralPorts.range", message }];
}
