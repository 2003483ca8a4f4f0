/** What audits found of one policy, summed over the nodes that it selects: status.audit and condition Audited. */
import { SEVERITIES } from "../api/audit.ts";
import type { PolicyAuditSummary } from "../api/audit-status.ts";
import type { Condition } from "../api/condition.ts";
import type { NodeAuditOutcome } from "./audit-outcome.ts";
import { cappedSum } from "./capped-sum.ts";
import { countNodes, nameNodes } from "./verdict.ts";

/** Nodes whose findings the message spells out. */
const NAMED_NODES = 3;

export const AUDITED = "Audited";

export function summariseAudit(nodes: readonly NodeAuditOutcome[]): PolicyAuditSummary {
  const findings = sumFindings(nodes);
  const audited = nodes.filter((node) => node.audited);
  // A text of RFC 3339 in UTC sorts by time.
  const [auditedAt] = audited.flatMap((node) => node.auditedAt ?? []).toSorted();
  return {
    summary: inWords(nodes, findings),
    audited: audited.length,
    notMet: of(nodes, "NotMet").length,
    findings,
    ...(auditedAt === undefined ? {} : { auditedAt }),
  };
}

/**
 * True: every selected node that is alive tried every check, and nothing that the policy requires is unmet. It says nothing
 * about enforcement, and no other condition looks at it.
 */
export function judgeAudited(nodes: readonly NodeAuditOutcome[]): Pick<Condition, "status" | "reason" | "message"> {
  const [notMet, pending, unknown] = [of(nodes, "NotMet"), of(nodes, "Pending"), of(nodes, "Unknown")];
  const all = countNodes(nodes.length);
  const silent = unknown.length === 0 ? "" : ` Not ready or not heard of: ${nameNodes(unknown)}.`;
  if (nodes.length === 0) {
    const message = "No node has the labels that nodeSelector asks for.";
    return { status: "True", reason: "NoNodesSelected", message };
  }
  if (notMet.length > 0) {
    const message = `What the policy requires is not met on ${notMet.length} of ${all}. ${spellOut(notMet)}${silent}`;
    return { status: "False", reason: "RequirementsNotMet", message };
  }
  if (pending.length > 0) {
    const tried = nodes.filter(({ audited }) => audited).length;
    const message = `${tried} of ${all} audited; waiting for ${nameNodes(pending)}.${silent}`;
    return { status: "Unknown", reason: "AuditPending", message };
  }
  const met = of(nodes, "Met");
  if (met.length === 0) {
    return { status: "Unknown", reason: "NodesUnknown", message: `None of ${all} can be judged.${silent}` };
  }
  const told = met.filter((node) => total(node.findings) + node.notChecked > 0);
  const details = told.length === 0 ? "" : ` ${spellOut(told)}`;
  const message = `${met.length} of ${all} audited: ${inWords(nodes, sumFindings(nodes))}.${details}${silent}`;
  return { status: "True", reason: "RequirementsMet", message };
}

/** `passed`, `3 findings, 1 high`; what is not known is said, and never passes. */
function inWords(nodes: readonly NodeAuditOutcome[], findings: PolicyAuditSummary["findings"]): string {
  const worst = SEVERITIES.find((severity) => findings[severity] > 0);
  const missed = nodes.reduce((sum, { notChecked }) => sum + notChecked, 0);
  const waiting = nodes.filter(({ audited, outcome }) => !audited && outcome !== "Unknown").length;
  const known = nodes.some(({ audited }) => audited);
  const parts = [
    ...(worst === undefined ? [] : [`${count(total(findings), "finding")}, ${findings[worst]} ${worst}`]),
    ...(missed === 0 ? [] : [`${count(missed, "check")} not made`]),
    ...(waiting === 0 ? [] : [known || worst !== undefined ? `pending on ${countNodes(waiting)}` : "pending"]),
  ];
  if (parts.length > 0) return parts.join("; ");
  return known ? "passed" : nodes.length === 0 ? "no nodes" : "unknown";
}

function total(findings: PolicyAuditSummary["findings"] | undefined): number {
  return findings === undefined ? 0 : cappedSum(SEVERITIES.map((severity) => findings[severity]));
}

function sumFindings(nodes: readonly NodeAuditOutcome[]): PolicyAuditSummary["findings"] {
  const sums = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { findings } of nodes) {
    if (findings === undefined) continue;
    for (const severity of SEVERITIES) sums[severity] = cappedSum([sums[severity], findings[severity]]);
  }
  return sums;
}

function spellOut(nodes: readonly NodeAuditOutcome[]): string {
  const texts = nodes
    .slice(0, NAMED_NODES)
    .map(({ node, named }) => `${node}: ${named().join("; ") || "see its phnode"}`);
  const more = nodes.length > NAMED_NODES ? ` And ${nodes.length - NAMED_NODES} more.` : "";
  return `${texts.join(". ")}.${more}`;
}

function of(nodes: readonly NodeAuditOutcome[], outcome: NodeAuditOutcome["outcome"]): readonly NodeAuditOutcome[] {
  return nodes.filter((node) => node.outcome === outcome);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
