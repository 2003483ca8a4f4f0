import type { NodePlan } from "../plan/node-plan.ts";
import { formatReservedPorts, LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS } from "../plan/port-sysctls.ts";
import type { SysctlSetting } from "./types.ts";

/** The sysctls to hold, sorted by key. Values have single spaces; the kernel prints tabs. */
export function renderSysctls(plan: NodePlan): SysctlSetting[] {
  const { range, reserved } = plan.ephemeralPorts;
  const settings = plan.sysctls.map(({ key, value }) => ({ key, value, match: "Equal" as const }));
  return [
    ...settings,
    ...(range ? [{ key: LOCAL_PORT_RANGE, value: `${range.from} ${range.to}`, match: "Equal" as const }] : []),
    ...(reserved.length > 0
      ? [{ key: LOCAL_RESERVED_PORTS, value: formatReservedPorts(reserved), match: "Contains" as const }]
      : []),
  ]
    .map((setting) => ({ ...setting, persist: plan.persist.includes(setting.key) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
