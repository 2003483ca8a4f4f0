import type { PortHardeningPolicy } from "../api/policy.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import { merge } from "../plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../plan/node-settings.ts";
import type { AssignedPolicy } from "../plan/types.ts";

export interface Meeting {
  readonly policy: PortHardeningPolicy;
  readonly assigned: AssignedPolicy;
}

export interface PolicyWarning {
  readonly policy: string;
  readonly path: string;
  readonly message: string;
}

/**
 * What policies do to each other where they surely meet: those for every node, and with them those of one and the same
 * nodeSelector. Others may never meet.
 */
export function lintTogether(all: readonly Meeting[]): PolicyWarning[] {
  const selectors = new Set(all.map(({ policy }) => selectorOf(policy)));
  const found = [...selectors].flatMap((selector) => {
    const meeting = all.filter(({ policy }) => ["{}", selector].includes(selectorOf(policy)));
    const { conflicts, warnings } = merge(
      meeting.map(({ assigned }) => assigned),
      [],
      DEFAULT_NODE_SETTINGS,
    );
    return [
      ...conflicts.map(({ policy, winner, field }) => ({
        policy,
        path: field.replace(/^(spec\.sysctls)\[(.*)\]$/, "$1.$2"),
        message: `has no effect: policy ${winner} sets it too, and wins (priority, then name)`,
      })),
      ...warnings
        .filter(({ reason }) => reason === "NodePortsInRange" || reason === "FewPortsLeft")
        .map(({ policy, message }) => ({ policy, path: "spec.ephemeralPorts.range", message })),
      ...warnings
        .filter(({ reason }) => reason === "AllowAboveDrop")
        .map(({ policy, message }) => {
          const direction = message.startsWith("outbound") ? "outbound" : "inbound";
          return { policy, path: `spec.firewall.${direction}.defaultAction`, message };
        }),
    ];
  });
  return [...new Map(found.map((one) => [canonicalJson(one), one])).values()];
}

function selectorOf({ spec }: PortHardeningPolicy): string {
  return canonicalJson(spec.nodeSelector ?? {});
}
