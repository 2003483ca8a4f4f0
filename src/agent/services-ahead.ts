import type { HostView } from "../audit/host-view.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PolicyOutcome } from "./node-status.ts";

/** Whether something answers Services ahead of netfilter, where no rule of ours holds them. */
export interface ServicesAhead {
  /** Never throws. */
  look(): Promise<void>;
  /** As the latest look saw it. */
  readonly current: boolean;
}

/**
 * Cilium makes these maps where it serves NodePorts by eBPF, and removes them where it does not any more (1.18: GlobalMaps,
 * RemoveDisabledMaps). They outlive its agent, as its programs do.
 */
const MAPS = ["4", "6"].map((family) => `/sys/fs/bpf/tc/globals/cilium_snat_v${family}_external`);

export function servicesAhead(host: Pick<HostView, "modifiedAt">, log: Logger): ServicesAhead {
  let current = false;
  let failed = false;
  return {
    get current() {
      return current;
    },
    async look() {
      try {
        const times = await Promise.all(MAPS.map((path) => host.modifiedAt(path)));
        current = times.some((time) => time !== undefined);
        failed = false;
      } catch (err) {
        // What was seen before counts until the next look.
        if (!failed) log.warn({ err }, "whether eBPF answers NodePorts is not known");
        failed = true;
      }
    },
  };
}

/** What a policy is whose way in is not all judged by us; undefined where it asks for none. */
export function bypassedOutcome(
  policy: AssignedPolicy | undefined,
): Pick<PolicyOutcome, "state" | "reason" | "message"> | undefined {
  if (policy?.mode !== "Enforce") return undefined;
  const { inbound, rateLimits } = policy.plan;
  if (inbound === undefined && rateLimits.length === 0) return undefined;
  const message =
    "Cilium serves NodePorts, host ports of pods and addresses of load balancers by eBPF, ahead of the packet filter: no rule " +
    "here holds connections to them, only those to processes on the host; protect the pods behind them by policies of Cilium";
  return { state: "NotEnforceable", reason: "ServicesBypassed", message };
}
