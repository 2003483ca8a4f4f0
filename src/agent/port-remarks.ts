import type { ListeningPort, SysctlOverride } from "../kernel/kernel.ts";
import { formatReservedPorts, LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS } from "../plan/port-sysctls.ts";
import { subtractPorts } from "../plan/ports.ts";
import type { PortRange } from "../plan/types.ts";
import type { Enforcement } from "./enforcement.ts";

/** Something that a policy's author should know of this node. */
export interface Remark {
  readonly policy: string;
  readonly reason: string;
  readonly message: string;
}

/** As many ports as a person reads. */
const NAMED = 10;

/** Ports in the range on which something listens: while it restarts, an outbound connection can take its port. */
export function listenerRemarks(
  { plan: { ephemeralPorts } }: Pick<Enforcement, "plan">,
  listeners: readonly ListeningPort[],
  reserved: readonly PortRange[],
): Remark[] {
  const { range } = ephemeralPorts;
  if (range === undefined) return [];
  const free = subtractPorts([{ from: range.from, to: range.to }], reserved);
  const swallowed = listeners.filter(({ port }) => free.some(({ from, to }) => from <= port && port <= to));
  if (swallowed.length === 0) return [];
  const ports = (protocol: string) =>
    swallowed.flatMap((one) => (one.protocol === protocol ? one.port : [])).toSorted((a, b) => a - b);
  const shown = ["TCP", "UDP"].flatMap((protocol) => ports(protocol).map((port) => `${protocol} ${port}`));
  const more = shown.length > NAMED ? ` and ${shown.length - NAMED} more` : "";
  const all = formatReservedPorts(swallowed.map(({ port }) => ({ from: port, to: port })));
  const message =
    `something listens on ports of range ${range.from}-${range.to}: ${shown.slice(0, NAMED).join(", ")}${more}; while it ` +
    `restarts, an outbound connection can take its port: add ${all} to ephemeralPorts.reserved, or move the range`;
  return [{ policy: range.policy, reason: "ListenerInRange", message }];
}

/** Values that will not be there between the next boot and the start of the agent. */
export function overrideRemarks(
  { plan, policies, rules }: Pick<Enforcement, "plan" | "policies" | "rules">,
  overrides: readonly SysctlOverride[],
): Remark[] {
  return overrides.flatMap(({ key, value, file, line }) => {
    const held = rules.sysctls.find((setting) => setting.key === key)?.value;
    const message =
      `${file} line ${line} sets ${key} = ${value} and is read after our file at boot, so ${held} will not hold then until ` +
      "the agent has started: take that line away, or change it to the same";
    const reason = "SysctlOverridden";
    return ownersOf(key, plan, policies).map((policy) => ({ policy, reason, message }));
  });
}

function ownersOf(key: string, plan: Enforcement["plan"], policies: Enforcement["policies"]): string[] {
  if (key === LOCAL_PORT_RANGE)
    return plan.ephemeralPorts.range === undefined ? [] : [plan.ephemeralPorts.range.policy];
  if (key === LOCAL_RESERVED_PORTS) {
    const reserving = policies.filter((policy) => (policy.plan.ephemeralPorts?.reserved.length ?? 0) > 0);
    return reserving.map(({ name }) => name);
  }
  return plan.sysctls.flatMap((setting) => (setting.key === key ? setting.policy : []));
}
