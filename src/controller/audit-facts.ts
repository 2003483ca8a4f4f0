import type { Practice, Severity } from "../api/audit.ts";
import type { NodeAuditStatus } from "../api/audit-status.ts";
import { clipText } from "../api/condition.ts";

/** Longest evidence and reason that is kept: a policy's message shows no more. Events read the NodeState anew. */
const KEPT_TEXT_MAX = 100;

export type PolicyAuditFacts = NodeAuditStatus["policies"][number];

/** A finding as far as it is told apart and named in a policy's message. */
export interface FindingFacts {
  readonly id: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly port?: number | undefined;
  readonly evidence: string;
  readonly since: string;
}

/** What the controller keeps of NodeState.status.audit: 7 KiB at most for 20 findings. */
export interface AuditFacts {
  readonly auditedAt: string | undefined;
  readonly policies: readonly PolicyAuditFacts[];
  /** Checks that could not be made. */
  readonly notChecked: readonly { readonly name: string; readonly practice: Practice; readonly reason: string }[];
  /** The most urgent findings, those first. */
  readonly top: readonly FindingFacts[];
}

export function auditFacts({ auditedAt, policies, checks, top }: NodeAuditStatus): AuditFacts {
  return {
    auditedAt,
    policies,
    notChecked: checks.flatMap(({ name, practice, status, reason = "no reason given" }) =>
      status === "NotChecked" ? [{ name, practice, reason: clipText(reason, KEPT_TEXT_MAX) }] : [],
    ),
    top: top.map(({ id, severity, subject, port, evidence, since }) => ({
      id,
      severity,
      subject,
      ...(port === undefined ? {} : { port }),
      evidence: clipText(evidence, KEPT_TEXT_MAX),
      since,
    })),
  };
}
