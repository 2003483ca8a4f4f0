import type { NodeAuditStatus } from "../api/audit-status.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import type { Check } from "../audit/check.ts";
import type { HostView } from "../audit/host-view.ts";
import { prober } from "../audit/protocols/prober.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { HostChanger } from "../kernel/host-changer.ts";
import { openProbeConnection } from "../kernel/probe-connection.ts";
import type { AssignedPolicy, NodePlan } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { auditAims } from "./audit-aim.ts";
import type { AuditMetrics } from "./audit-metrics.ts";
import { auditStatus } from "./audit-status.ts";
import { type Auditor, auditor } from "./auditor.ts";
import { automaticUpdatesKeeper } from "./automatic-updates-keeper.ts";
import type { ClusterReports } from "./cluster-reports.ts";
import { reportWriter } from "./report-writer.ts";

/** What an audit goes by at one moment. */
export interface Audited {
  readonly policies: readonly AssignedPolicy[];
  /** Whether these are what the NodeState says, and not what an earlier one said. */
  readonly assigned: boolean;
  /** What is in force. */
  readonly plan: NodePlan | undefined;
  readonly request: string | undefined;
  /** Of the NodeState. */
  readonly uid: string | undefined;
}

/** All audits of this node: made as policies ask, and told in status, metrics and report. */
export interface NodeAudits {
  /** Cheap where nothing changed. */
  follow(now: Audited): Promise<void>;
  /** What an agent before this one wrote. */
  remember(before: NodeAuditStatus): void;
  status(before: NodeStateStatus | undefined): ReturnType<typeof auditStatus>;
  /** Brings the metrics up to date. */
  collect(): void;
  /** Until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface NodeAuditsOptions {
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
  const { host, changer, sockets, nodeName, reports, metrics, log, now } = options;
  const aims = auditAims(host);
  const updates = automaticUpdatesKeeper({ host, changer, log });
  const probing = prober({
    open: openProbeConnection,
    listening: () => sockets.listening(),
    clock: () => performance.now(),
  });
  const audits: Auditor = auditor({ ...options, checks: updates.checks(options.checks), prober: probing });
  const report = reportWriter({ nodeName, reports, log, now });
  let ensuring: string | undefined;

  return {
    async follow({ policies, assigned, plan, request, uid }) {
      const aim = await aims(policies, request, plan);
      audits.aim(aim);
      if (!assigned) return;
      const wanted = aim.audit?.ensureAutomaticUpdates ?? [];
      if (ensuring !== wanted.join()) {
        ensuring = wanted.join();
        // It takes what systemd takes; nothing waits for it.
        void updates.ask(wanted);
      }
      const state = audits.state();
      if (aim.audit === undefined) report.withdraw();
      else if (uid !== undefined && state.auditedAt !== undefined) report.publish(state, uid);
    },
    remember: audits.remember,
    status: (before) => auditStatus(audits.state(), audits.asked(), before),
    collect: () => metrics.set(audits.asked() === undefined ? undefined : audits.state()),
    async run(signal) {
      await Promise.all([audits.run(signal), report.run(signal)]);
    },
  };
}
