/** What the audit of one node means for one policy. */
import type { Practice } from "../api/audit.ts";
import { nodeAudit, type PolicyAudit } from "../plan/node-audit.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { AuditFacts, FindingFacts, PolicyAuditFacts } from "./audit-facts.ts";
import { practiceOf } from "./finding-practice.ts";

/** The same for every node that the policy selects; undefined where it asks for no audit. */
export function askedOf(element: AssignedPolicy): PolicyAudit | undefined {
  return nodeAudit([element])?.policies[0];
}

export interface NodeAuditOutcome {
  readonly node: string;
  /**
   * Unknown: not Ready, or not heard of. Pending: checks that the policy asks for were not all tried at its revision. NotMet
   * comes before Pending: what is known to be unmet does not wait for the rest.
   */
  readonly outcome: "Met" | "NotMet" | "Pending" | "Unknown";
  /** Every check that the policy asks for was tried, at its revision. */
  readonly audited: boolean;
  readonly auditedAt: string | undefined;
  /** Absent where the outcome is not known. */
  readonly findings?: PolicyAuditFacts["findings"];
  /** Checks that the policy asks for and that could not be made. */
  readonly notChecked: number;
  /** What the policy requires and is not so, in words; where nothing is unmet, what it asks to be reported. At most two. Made when it is asked for: a message names three nodes of thousands. */
  readonly named: () => readonly string[];
}

const NAMED_PER_NODE = 2;

/** `current`: the node's agent speaks of the desired revision, so its audit looked at what the policy asks for now. */
export function judgeAudit(
  asked: PolicyAudit,
  node: string,
  view: { readonly known: boolean; readonly current: boolean; readonly audit: AuditFacts | undefined },
): NodeAuditOutcome {
  const nothing = { node, audited: false, auditedAt: undefined, notChecked: 0, named: () => [] };
  if (!view.known) return { ...nothing, outcome: "Unknown" };
  const { audit } = view;
  const own = audit?.policies.find(({ name }) => name === asked.policy);
  if (audit === undefined || own === undefined || !view.current) return { ...nothing, outcome: "Pending" };
  const audited = own.pending === 0;
  const outcome = own.notMet > 0 ? "NotMet" : audited ? "Met" : "Pending";
  return {
    node,
    outcome,
    audited,
    auditedAt: audit.auditedAt,
    findings: own.findings,
    notChecked: audit.notChecked.filter(({ practice }) => asked.levels[practice] !== "Ignore").length,
    named: () => namedProblems(asked, audit, outcome === "NotMet"),
  };
}

function namedProblems(asked: PolicyAudit, { top, notChecked }: AuditFacts, requiredOnly: boolean): string[] {
  const matters = (practice: Practice) =>
    requiredOnly ? asked.levels[practice] === "Required" : asked.levels[practice] !== "Ignore";
  const found = top.filter((finding) => {
    const practice = practiceOf(finding.id);
    return practice !== undefined && matters(practice) && isOn(asked, finding);
  });
  const missed = notChecked.filter(({ practice }) => matters(practice));
  return [
    ...found.map(({ id, subject, evidence }) => `${subject} ${evidence} (${id})`),
    ...missed.map(({ name, reason }) => `${name} could not be checked: ${reason}`),
  ].slice(0, NAMED_PER_NODE);
}

function isOn({ ports }: PolicyAudit, { port }: FindingFacts): boolean {
  return port === undefined || ports.some(({ from, to }) => from <= port && port <= to);
}
