import { MIN_EPHEMERAL_PORTS } from "../api/ephemeral-ports.ts";
import type { NodePlan, PlanWarning } from "./node-plan.ts";
import { formatReservedPorts } from "./port-sysctls.ts";
import { countPorts, subtractPorts } from "./ports.ts";
import type { AssignedPolicy } from "./types.ts";

/** What can be told of the merged range without looking at a node; all of it concerns the policy whose range it is. */
export function portWarnings(
  policies: readonly AssignedPolicy[],
  { range, reserved }: NodePlan["ephemeralPorts"],
): PlanWarning[] {
  const winner = policies.find(({ name }) => name === range?.policy);
  if (range === undefined || winner === undefined) return [];
  const warnings: PlanWarning[] = [];
  const policy = winner.name;
  const free = subtractPorts([{ from: range.from, to: range.to }], reserved);
  const shown = `${range.from}-${range.to}`;
  const { nodePorts } = winner.plan.ephemeralPorts ?? {};
  if (nodePorts !== undefined) {
    const taken = subtractPorts(free, subtractPorts(free, [nodePorts]));
    const message =
      `range ${shown} holds the NodePorts ${formatReservedPorts(taken)}: an outbound connection that has such a port can keep ` +
      `clients from a Service; set reserveNodePorts: true, or move the range (NodePorts are ` +
      `${formatReservedPorts([nodePorts])} by the controller's --service-node-port-range)`;
    if (taken.length > 0) warnings.push({ policy, reason: "NodePortsInRange", message });
  }
  const left = countPorts(free);
  if (left < MIN_EPHEMERAL_PORTS) {
    const message =
      `the reserved ports of all policies leave ${left} ports of range ${shown}: fewer than ${MIN_EPHEMERAL_PORTS} starve ` +
      "outbound connections; widen the range, or reserve less";
    warnings.push({ policy, reason: "FewPortsLeft", message });
  }
  return warnings;
}
