import type { PortHardeningPolicy } from "../api/policy.ts";
import type { Warning } from "./lint-direction.ts";

const ANYWAY = "every node passes before any allow or deny (trustCluster): set trustCluster to false";
const MESSAGES = {
  allow: `keeps no other node out, as ${ANYWAY} to let these in alone`,
  deny: `has no effect, as ${ANYWAY}`,
} as const;

/** Entries that name nodes where every node passes anyway: they neither keep the other nodes out nor these ones. */
export function nodePeerWarnings({ spec: { firewall } }: PortHardeningPolicy): Warning[] {
  return (["inbound", "outbound"] as const).flatMap((direction) => {
    const scope = firewall?.[direction];
    if (scope?.trustCluster !== true) return [];
    return (["allow", "deny"] as const).flatMap((list) =>
      (scope[list] ?? []).flatMap((entry, index) => {
        const [field, peers] = "to" in entry ? ["to", entry.to] : ["from", "from" in entry ? entry.from : undefined];
        const path = `spec.firewall.${direction}.${list}[${index}].${field}`;
        return (peers ?? []).flatMap(({ nodes }, place) =>
          nodes === undefined ? [] : [{ path: `${path}[${place}].nodes`, message: MESSAGES[list] }],
        );
      }),
    );
  });
}
