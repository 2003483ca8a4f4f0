import type { AuditState } from "../audit/audit-state.ts";
import type { NodeAudit } from "../plan/node-audit.ts";
import type { AutomaticUpdatesKeeper } from "./automatic-updates-keeper.ts";
import type { AgentInputs } from "./inputs.ts";
import type { ReportWriter } from "./report-writer.ts";

interface Audits {
  state(): AuditState;
  /** undefined: no policy asks for anything. */
  asked(): object | undefined;
}

/** What follows from audits beside status: the report of what they found, and automatic updates where policies ask for them. */
export interface AuditFollowers {
  /** What is asked from now on; before the audits learn it, so that their check finds what was switched on. */
  aim(audit: NodeAudit | undefined): void;
  /** After each pass: what is known may be new. Must not block. */
  publish(): void;
}

/** Only a NodeState that exists says that nobody asks: without one, report and automatic updates stay as they are. */
export function auditFollowers({
  inputs,
  audits,
  automatic,
  reports,
}: {
  readonly inputs: Pick<AgentInputs, "synced" | "nodeState">;
  readonly audits: Audits;
  readonly automatic: Pick<AutomaticUpdatesKeeper, "ask">;
  readonly reports: Pick<ReportWriter, "publish" | "withdraw">;
}): AuditFollowers {
  function nodeState() {
    const state = inputs.synced ? inputs.nodeState() : undefined;
    return state?.policies === undefined ? undefined : state;
  }

  return {
    aim(audit) {
      const policies = audit?.ensureAutomaticUpdates ?? [];
      if (policies.length > 0 || nodeState() !== undefined) void automatic.ask(policies);
    },
    publish() {
      const uid = nodeState()?.uid;
      if (uid === undefined) return;
      if (audits.asked() === undefined) return reports.withdraw();
      const state = audits.state();
      // Until all checks were made once, an agent knows less than the one before it, whose report is there.
      if (state.auditedAt !== undefined) reports.publish(state, uid);
    },
  };
}
