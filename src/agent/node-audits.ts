import type { ListenersStatus, NodeAuditStatus } from "../api/audit-status.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import type { Check } from "../audit/check.ts";
import type { HostView } from "../audit/host-view.ts";
import { prober } from "../audit/protocols/prober.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { HostChanger } from "../kernel/host-changer.ts";
import { openProbeConnection } from "../kernel/probe-connection.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { auditAims } from "./audit-aim.ts";
import { auditFollowers } from "./audit-followers.ts";
import type { AuditMetrics } from "./audit-metrics.ts";
import { auditStatus } from "./audit-status.ts";
import { auditor } from "./auditor.ts";
import { automaticUpdatesKeeper } from "./automatic-updates-keeper.ts";
import type { ClusterReports } from "./cluster-reports.ts";
import type { Enforcement } from "./enforcement.ts";
import type { AgentInputs } from "./inputs.ts";
import { reportWriter } from "./report-writer.ts";

/** What audits go by at one moment. */
export interface Audited {
  readonly policies: readonly AssignedPolicy[];
  /** What is in force. */
  readonly held: Pick<Enforcement, "plan"> | undefined;
  readonly request: string | undefined;
}

/** All audits of this node: made as policies ask, and told in status, metrics and report. */
export interface NodeAudits {
  /** Cheap where nothing changed. */
  follow(now: Audited): void;
  /** What an agent before this one wrote. */
  remember(before: NodeAuditStatus, listeners?: ListenersStatus): void;
  status(before: NodeStateStatus | undefined): ReturnType<typeof auditStatus>;
  /** Brings the metrics up to date. */
  collect(): void;
  /** Until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface NodeAuditsOptions {
  readonly inputs: Pick<AgentInputs, "synced" | "nodeState">;
  readonly host: HostView;
  readonly changer: HostChanger;
  readonly sockets: SocketReader;
  readonly checks: readonly Check[];
  readonly nodeName: string;
  readonly reports: ClusterReports;
  readonly metrics: AuditMetrics;
  readonly log: Logger;
  /** ms since 1970. */
  readonly now: () => number;
  /** `status` says something new. */
  readonly onChange: () => void;
}

export function nodeAudits(options: NodeAuditsOptions): NodeAudits {
  const { inputs, sockets, metrics } = options;
  const aims = auditAims();
  const automatic = automaticUpdatesKeeper(options);
  // One for as long as the agent runs: it remembers who was asked.
  const probing = prober({
    open: openProbeConnection,
    listening: () => sockets.listening(),
    clock: () => performance.now(),
  });
  const audits = auditor({ ...options, checks: automatic.checks(options.checks), prober: probing });
  const reports = reportWriter(options);
  const followers = auditFollowers({ inputs, audits, automatic, reports });

  return {
    follow({ policies, held, request }) {
      const aim = aims(policies, held, request);
      followers.aim(aim.audit);
      audits.aim(aim);
      followers.publish();
    },
    remember: audits.remember,
    status: (before) => auditStatus(audits.state(), audits.asked(), before),
    collect: () => metrics.set(audits.asked() === undefined ? undefined : audits.state()),
    async run(signal) {
      await Promise.all([audits.run(signal), reports.run(signal)]);
    },
  };
}
