/** Denies that reach for what failsafes let pass: no policy takes a failsafe away, and its author should know. */

import type { Failsafe, NodeDirection, PlanWarning } from "./node-plan.ts";
import { formatReservedPorts } from "./port-sysctls.ts";
import { subtractPorts } from "./ports.ts";
import type { PlanEntry, PortRange } from "./types.ts";

/** The ports that both speak of; of a failsafe and an entry of another protocol none. */
export function sharedPorts(
  { protocol, ports }: Pick<Failsafe, "protocol" | "ports">,
  entry: Pick<PlanEntry, "ports" | "protocols">,
): PortRange[] {
  return entry.protocols.includes(protocol) ? subtractPorts(ports, subtractPorts(ports, entry.ports)) : [];
}

/**
 * One warning for each deny that names ports which are open to everybody. Failsafes for nodes alone take little from
 * most denies, and from which is not known without the addresses: `porthardening lint` says that.
 */
export function failsafeWarnings(
  what: "inbound" | "outbound",
  directions: readonly NodeDirection[],
  failsafes: readonly Failsafe[],
): PlanWarning[] {
  const open = failsafes.filter(({ peers }) => peers === "Everybody");
  return directions.flatMap(({ policy, deny }) =>
    deny.flatMap((entry): PlanWarning[] => {
      const spared = open.flatMap((failsafe) => {
        const ports = formatReservedPorts(sharedPorts(failsafe, entry));
        return ports === "" ? [] : [`${failsafe.protocol} ${ports} (failsafe "${failsafe.name}")`];
      });
      if (spared.length === 0) return [];
      const message = `${what}: deny "${entry.name}" has no effect on ${spared.join(", ")}: failsafes pass before any policy`;
      return [{ policy, reason: "DenySparesFailsafe", message }];
    }),
  );
}
