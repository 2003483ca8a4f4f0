import { setTimeout as wait } from "node:timers/promises";
import type { NodeStateStatus } from "../api/node-state.ts";
import { CHECKS } from "../audit/registry.ts";
import type { Agent, AgentOptions } from "./agent.ts";
import { agentMetrics } from "./agent-metrics.ts";
import { auditMetrics } from "./audit-metrics.ts";
import { disengaged } from "./disengaged.ts";
import { folderInputs, type HostPolicies } from "./folder-inputs.ts";
import { nodeAudits } from "./node-audits.ts";
import { nodeSight } from "./node-sight.ts";
import { passes, together } from "./passes.ts";
import { podRanges } from "./pod-ranges.ts";
import { probing } from "./probing.ts";
import { reconciler } from "./reconciler.ts";
import { statusWriter } from "./status-writer.ts";
import { wake } from "./wake.ts";

export interface HostAgentOptions extends Omit<AgentOptions, "client" | "namespace" | "apiServer"> {
  /** What its files say; see `folderInputs`. */
  readonly readPolicies: () => Promise<HostPolicies>;
  /** Where a person finds what was measured. */
  readonly writeStatus: (status: NodeStateStatus) => Promise<void>;
}

/** The agent of a host without a cluster: files to kernel, drift repaired meanwhile. No peer measures it, and nobody reads reports. */
export function hostAgent(options: HostAgentOptions): Agent {
  const { kernel, log, clock } = options;
  const bell = wake();
  const off = disengaged(options.disengageFile, log);
  const inputs = folderInputs({ read: options.readPolicies, log, onChange: bell.ring });
  const metrics = agentMetrics(options.registry);
  const writer = statusWriter({
    write: (_, status) => options.writeStatus(status),
    log,
    now: clock.now,
    metrics,
    countersEveryMilliseconds: 60_000,
  });
  const pods = podRanges({ ...options, onChange: bell.ring });
  const audits = nodeAudits({
    ...options,
    inputs,
    checks: CHECKS,
    reports: { write: async () => undefined, remove: async () => undefined },
    metrics: auditMetrics(options.registry),
    now: Date.now,
    onChange: bell.ring,
  });
  const reconciling = reconciler({
    ...options,
    probing: probing({ probes: options.probes, sleep: (milliseconds) => wait(milliseconds) }),
    inputs,
    measuring: { follow: () => undefined, status: () => ({}) },
    pods,
    disengaged: off,
    found: { sight: nodeSight({ ...options, apiServer: undefined, now: clock.now }), file: options.foundFile },
    agentVersion: options.version,
    metrics,
    audits,
    publish: writer.publish,
  });

  return {
    run: (signal) =>
      together(
        [
          inputs.run,
          (stop) => passes({ reconciler: reconciling, kernel, bell, clock, log }, stop),
          audits.run,
          writer.run,
          pods.run,
          (stop) => off.watch(bell.ring, stop),
        ],
        signal,
      ),
    notReady: reconciling.notReady,
    async collect() {
      audits.collect();
      await reconciling.collect();
    },
  };
}
