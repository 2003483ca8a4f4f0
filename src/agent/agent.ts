import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Registry } from "prom-client";
import type { NodeStateStatus } from "../api/node-state.ts";
import type { HostView } from "../audit/host-view.ts";
import { CHECKS } from "../audit/registry.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { HostChanger } from "../kernel/host-changer.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { NodeProbe } from "../kernel/node-probes.ts";
import type { SysctlInNetwork } from "../kernel/sysctl-in-network.ts";
import { applyDeclared } from "../kube/apply-declared.ts";
import { renewLease } from "../kube/lease.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { Logger } from "../telemetry/logger.ts";
import { agentMetrics } from "./agent-metrics.ts";
import { auditMetrics } from "./audit-metrics.ts";
import { clusterReports } from "./cluster-reports.ts";
import { coming } from "./coming.ts";
import type { DisengageFile } from "./disengage-file.ts";
import { disengaged } from "./disengaged.ts";
import type { FoundFile } from "./found-file.ts";
import type { Guard } from "./guard-folder.ts";
import { heartbeat } from "./heartbeat.ts";
import { agentInputs } from "./inputs.ts";
import { nodeAudits } from "./node-audits.ts";
import type { Resolve } from "./node-destinations.ts";
import { nodeSight } from "./node-sight.ts";
import { observeUse } from "./node-use.ts";
import { passes, together } from "./passes.ts";
import { peerMeasuring } from "./peer-measuring.ts";
import { podRanges } from "./pod-ranges.ts";
import { probing } from "./probing.ts";
import { probedWithPeers } from "./reach-in.ts";
import { reconciler } from "./reconciler.ts";
import { saidStatus } from "./said-status.ts";
import type { StateDirectory } from "./state-directory.ts";
import { statusWriter } from "./status-writer.ts";
import type { SteadyClock } from "./steady-clock.ts";
import { wake } from "./wake.ts";

export interface AgentOptions {
  readonly nodeName: string;
  /** Where the node's Lease lives. */
  readonly namespace: string;
  readonly client: KubeClient;
  readonly clock: SteadyClock;
  /** By the same clock. */
  readonly kernel: Kernel;
  readonly directory: StateDirectory;
  readonly guard: Guard;
  /** The ways that must stay open behind a change. */
  readonly probes: () => Promise<readonly NodeProbe[]>;
  /** What is audited. */
  readonly host: HostView;
  readonly changer: HostChanger;
  readonly sockets: SocketReader;
  readonly sysctlIn: SysctlInNetwork;
  /** URL of the API server, as `client` uses it. */
  readonly apiServer: string | undefined;
  readonly resolve: Resolve;
  readonly foundFile: FoundFile;
  readonly disengageFile: DisengageFile;
  readonly settings: NodeSettings;
  readonly version: string;
  readonly primeMilliseconds: number;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface Agent {
  /** Works until `signal` aborts, and leaves the kernel as it is then. Rejects only for a defect of its own. */
  run(signal: AbortSignal): Promise<void>;
  notReady(): readonly string[];
  /** Brings the metrics that are read on demand up to date. */
  collect(): Promise<void>;
}

const FIELD_MANAGER = "port-hardening-agent";
/** The lease says so; who reads it allows for three missed renewals. */
const LEASE_SECONDS = 180;

/** One node's agent: NodeState to kernel to status, drift repaired meanwhile. */
export function agent(options: AgentOptions): Agent {
  const { nodeName, namespace, client, kernel, log, clock } = options;
  const bell = wake();
  const off = disengaged(options.disengageFile, log);
  const inputs = agentInputs({ client, nodeName, log, onChange: heard });
  const metrics = agentMetrics(options.registry);
  const writer = statusWriter({ write: writeStatus, log, now: clock.now, metrics });
  const said = saidStatus({
    publish: writer.publish,
    before: () => (inputs.synced ? inputs.nodeState() : undefined),
    measuring: () => measuring.status(),
  });
  const measuring = peerMeasuring({
    kernel,
    failsafes: options.settings.failsafes.inbound,
    groups: inputs.groups,
    now: Date.now,
    newId: () => randomBytes(8).toString("hex"),
    onChange: said.again,
  });
  const pods = podRanges({ ...options, onChange: bell.ring });
  const previews = coming({
    observe: (plan) => observeUse(options, plan),
    log,
    clock,
    onChange: bell.ring,
  });
  const audits = nodeAudits({
    ...options,
    inputs,
    checks: [...CHECKS, measuring.exposure],
    reports: clusterReports(client, nodeName, FIELD_MANAGER),
    metrics: auditMetrics(options.registry),
    now: Date.now,
    onChange: bell.ring,
  });
  const reconciling = reconciler({
    ...options,
    probing: probedWithPeers(
      probing({ probes: options.probes, sleep: (milliseconds) => wait(milliseconds) }),
      measuring.reachIn,
    ),
    inputs,
    measuring,
    pods,
    coming: previews,
    disengaged: off,
    found: { sight: nodeSight({ ...options, now: clock.now }), file: options.foundFile },
    agentVersion: options.version,
    metrics,
    audits,
    publish: said.publish,
  });

  /** Peers wait for answers, and a pass that is confirming a change waits for theirs. */
  function heard(): void {
    const state = inputs.synced ? inputs.nodeState() : undefined;
    if (state !== undefined) measuring.told(state);
    // One that began with a change of the agent before it has said nothing yet.
    if (measuring.reachIn.requests.length > 0) said.again();
    bell.ring();
  }

  /** `uid` is a precondition: what was measured for a deleted NodeState is not written into its successor. */
  async function writeStatus(uid: string | undefined, status: NodeStateStatus, signal: AbortSignal): Promise<void> {
    const { group, version, kind } = resources.nodeStates;
    const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: nodeName, uid }, status };
    const onLeftOut = (fields: readonly string[]) =>
      log.warn({ fields }, "status written without fields that the kind does not know: its CRD is older");
    const how = { fieldManager: FIELD_MANAGER, subresource: "status", onLeftOut } as const;
    await applyDeclared(client, resources.nodeStates, object, how, signal);
  }

  /** Whatever a pass asked of peers ends with it. */
  async function reconcile(): Promise<number> {
    try {
      return await reconciling.reconcile();
    } finally {
      measuring.reachIn.over();
    }
  }

  const beat = (signal: AbortSignal): Promise<void> =>
    renewLease(
      client,
      { namespace, name: nodeName, holder: nodeName, durationSeconds: LEASE_SECONDS },
      new Date(),
      signal,
    );

  return {
    run: (signal) =>
      together(
        [
          inputs.run,
          (stop) => passes({ reconciler: { ...reconciling, reconcile }, kernel, bell, clock, log }, stop),
          audits.run,
          writer.run,
          (stop) => heartbeat({ beat, log }, stop),
          measuring.run,
          pods.run,
          previews.run,
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
