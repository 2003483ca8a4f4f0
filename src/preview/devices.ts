/** The interfaces that make a difference to policies. A pattern stands for all interfaces that it matches and no other names. */
import { coversInterface } from "../plan/interfaces.ts";
import type { NodePlan } from "../plan/types.ts";

/** Stands for those that no policy names: no pattern but `+` covers it. */
export const OTHER_DEVICE = "*";

/**
 * One of each kind that some plan tells apart, pods' left out: of the node's own, or, where these are not known, of all that
 * there may be.
 */
export function outsideDevices(plans: readonly NodePlan[], known: readonly string[] | undefined): string[] {
  const patterns = plans.flatMap(({ inbound, outbound }) =>
    [...inbound, ...outbound].flatMap(({ interfaces: { include, exclude } }) => [...include, ...exclude]),
  );
  const told = [...new Set(patterns)];
  const ofPods = (device: string) =>
    plans.some(({ trust }) => trust.podInterfaces.some((pattern) => coversInterface(pattern, device)));
  const devices = (known ?? [OTHER_DEVICE, ...told]).filter((device) => device !== "lo" && !ofPods(device));
  const kind = (device: string) => told.map((pattern) => (coversInterface(pattern, device) ? 1 : 0)).join("");
  const kinds = [...new Map(devices.toReversed().map((device) => [kind(device), device])).values()].toReversed();
  return kinds.length === 0 ? [OTHER_DEVICE] : kinds;
}

/** One by which pods come, where policies trust them there. */
export function podDevice(plans: readonly NodePlan[]): string | undefined {
  return plans.flatMap(({ trust }) => trust.podInterfaces)[0];
}
