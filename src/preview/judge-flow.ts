import type { Opening } from "../plan/connections.ts";
import { type Judge, judge, type Refusal } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { flowDevices } from "./devices.ts";
import type { Flow, FlowHit } from "./types.ts";

/** What becomes of open connections. */
export interface FlowFate {
  readonly refusal: Refusal;
  readonly opening: Opening;
  readonly effect: FlowHit["effect"];
  readonly certainty: FlowHit["certainty"];
}

/**
 * Says of connections that pass now whether they would be refused. undefined: nothing changes for them, or for the better. By
 * `judge`, the same that says what is cut when policies change.
 */
export function flowJudge(before: NodePlan, after: NodePlan): (flow: Flow) => FlowFate | undefined {
  const [was, is] = [judge(before), judge(after)];
  const devicesOf = flowDevices([before, after]);

  return (flow) => {
    const devices = devicesOf(flow);
    const fates = devices.flatMap((device) => fateOn(flow, device, was, is) ?? []);
    const [first] = fates;
    if (first === undefined) return undefined;
    const worst = fates.find(({ effect }) => effect === "Cut") ?? first;
    return { ...worst, certainty: fates.length === devices.length ? "Certain" : "Depends" };
  };
}

function fateOn({ openings }: Flow, device: string, was: Judge, is: Judge): Omit<FlowFate, "certainty"> | undefined {
  const refused = (by: Judge) =>
    openings.flatMap((opening) => {
      const refusal = by.refusal(opening, device);
      return refusal === undefined ? [] : [{ opening, refusal }];
    });
  const [before, after] = [refused(was), refused(is)];
  const cuts = after.find(({ refusal }) => refusal.cutBy !== undefined);
  // Refused already and living on, until now.
  const cutBefore = before.some(({ refusal }) => refusal.cutBy !== undefined);
  if (cuts !== undefined) return cutBefore ? undefined : { ...cuts, effect: "Cut" };
  const [first] = after;
  return first === undefined || before.length > 0 ? undefined : { ...first, effect: "Refused" };
}
