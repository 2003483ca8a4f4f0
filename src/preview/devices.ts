/** The interfaces that make a difference to policies. A pattern stands for all interfaces that it matches and no other names. */
import { coversInterface } from "../plan/interfaces.ts";
import { judge } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { Flow } from "./types.ts";

/** Stands for those that no policy names: no pattern but `+` covers it. */
export const OTHER_DEVICE = "*";

/**
 * One of each kind that some plan tells apart, pods' left out: of the node's own, or, where these are not known, of all that
 * there may be.
 */
export function outsideDevices(plans: readonly NodePlan[], known: readonly string[] | undefined): string[] {
  const patterns = plans.flatMap(({ inbound, outbound, rateLimits }) =>
    [...inbound, ...outbound, ...rateLimits].flatMap(({ interfaces: { include, exclude } }) => [
      ...include,
      ...exclude,
    ]),
  );
  const told = [...new Set(patterns)];
  const ofPods = (device: string) =>
    plans.some(({ trust }) => trust.podInterfaces.some((pattern) => coversInterface(pattern, device)));
  const devices = (known ?? [OTHER_DEVICE, ...told]).filter((device) => device !== "lo" && !ofPods(device));
  const kind = (device: string) => told.map((pattern) => (coversInterface(pattern, device) ? 1 : 0)).join("");
  const kinds = [...new Map(devices.toReversed().map((device) => [kind(device), device])).values()].toReversed();
  return kinds.length === 0 ? [OTHER_DEVICE] : kinds;
}

/** Those by which a connection may come or go that passes now. Pods come by an interface of pods: which of them makes no difference. */
export function flowDevices(plans: readonly NodePlan[]): (flow: Flow) => readonly string[] {
  const outside = outsideDevices(plans, undefined);
  const ofPods = podDevice(plans);
  const judges = plans.map((plan) => ({ judged: judge(plan), pods: plan.trust.pods }));
  return ({ openings: [opening], device }) => {
    if (device !== undefined) return [device];
    const pod =
      opening !== undefined && judges.some(({ judged, pods }) => judged.holds(pods, opening.family, opening.peer));
    return pod && ofPods !== undefined ? [ofPods] : outside;
  };
}

/** One by which pods come, where policies trust them there. */
function podDevice(plans: readonly NodePlan[]): string | undefined {
  return plans.flatMap(({ trust }) => trust.podInterfaces)[0];
}
