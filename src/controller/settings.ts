import { DEFAULT_ALLOWED_SYSCTLS } from "../plan/allowed-sysctls.ts";
import { DEFAULT_NODE_PORT_RANGE } from "../plan/node-port-range.ts";
import type { PortRange } from "../plan/types.ts";
import { DEFAULT_EVENT_RATES, type EventRates } from "./event-budget.ts";
import type { StatusRate } from "./status-pace.ts";

export interface ControllerSettings {
  /** A node counts as unknown when its agent was not heard of for so long (DESIGN 2). */
  readonly silentAfterSeconds: number;
  /** Patterns as in `AllowedSysctl.pattern`; fixed at install. */
  readonly allowedSysctls: readonly string[];
  /** The ports that kube-apiserver gives to Services (--service-node-port-range). */
  readonly nodePortRange: PortRange;
  /** Name of the MutatingAdmissionPolicy that gives new pods their range, and of its binding. */
  readonly podRangeName: string;
  /** How often it is looked whether that is still there, while a policy asks for it. */
  readonly podRangeLookMilliseconds: number;
  /** How long a roll-out waits for further nodes to say what a revision would cut, before it goes beyond its canaries. */
  readonly previewWaitMilliseconds: number;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /** Writes of one policy's status. */
  readonly statusWrites: StatusRate;
  /** How many Events are made. */
  readonly events: EventRates;
}

export const DEFAULT_CONTROLLER_SETTINGS: ControllerSettings = {
  silentAfterSeconds: 180,
  allowedSysctls: DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern),
  nodePortRange: DEFAULT_NODE_PORT_RANGE,
  podRangeName: "port-hardening-pod-range",
  podRangeLookMilliseconds: 60_000,
  previewWaitMilliseconds: 30_000,
  concurrency: 8,
  statusWrites: { burst: 5, intervalMilliseconds: 1_000 },
  events: DEFAULT_EVENT_RATES,
};
