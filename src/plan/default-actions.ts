/** Default actions of several policies: the first by precedence that has a packet in scope decides (DESIGN 4). */
import { interfacesMeet } from "./interfaces.ts";
import type { NodeDirection, PlanWarning } from "./node-plan.ts";

/**
 * An Allow above a stricter default opens what that one seems to close, so both policies hear of it. Expects
 * `directions` by precedence.
 */
export function defaultWarnings(what: "inbound" | "outbound", directions: readonly NodeDirection[]): PlanWarning[] {
  return directions.flatMap((upper, index) => {
    if (upper.defaultAction !== "Allow") return [];
    const closed = directions.slice(index + 1).filter((lower) => lower.defaultAction !== "Allow" && meet(upper, lower));
    return closed.flatMap((lower): PlanWarning[] => {
      const message =
        `${what}: the default action Allow of policy ${upper.policy} comes before ${lower.defaultAction} of policy ` +
        `${lower.policy}: what both have in scope passes`;
      return [upper, lower].map(({ policy }) => ({ policy, reason: "AllowAboveDrop", message }));
    });
  });
}

function meet(a: NodeDirection, b: NodeDirection): boolean {
  const sharesPort = a.ports.some((one) => b.ports.some((other) => one.from <= other.to && other.from <= one.to));
  return (
    sharesPort && a.protocols.some((one) => b.protocols.includes(one)) && interfacesMeet(a.interfaces, b.interfaces)
  );
}

/** The direction on a node that cannot reject: silence is the stricter answer, and never lets anything through. */
export function withoutReject(direction: NodeDirection): NodeDirection {
  return direction.defaultAction === "Reject" ? { ...direction, defaultAction: "Drop" } : direction;
}

export function rejectWarnings(inbound: readonly NodeDirection[], obstacle: string | undefined): PlanWarning[] {
  if (obstacle === undefined) return [];
  const rejecting = inbound.filter(({ defaultAction }) => defaultAction === "Reject");
  const message = `inbound traffic is dropped where the policy says Reject: ${obstacle}`;
  return rejecting.map(({ policy }) => ({ policy, reason: "RejectUnavailable", message }));
}
