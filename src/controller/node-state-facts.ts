import type { Condition } from "../api/condition.ts";
import type { PolicyOnNode } from "../api/node-state.ts";
import type { ObservedOnNode, WantedOnNode } from "../api/observed.ts";
import type { PodCounts } from "../api/pods.ts";
import type { KubeObject } from "../kube/types.ts";
import { planHash } from "../plan/plan-hash.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import { type AuditFacts, auditFacts } from "./audit-facts.ts";
import { type ComingFacts, comingFacts } from "./coming-facts.ts";
import { type ProbingFacts, probingFacts } from "./probing-facts.ts";
import { readNodeStateStatus } from "./read-node-state-status.ts";
import { type NodeSelection, nodeSelectionsIn } from "./selected-nodes.ts";
import { type UnmatchedName, unmatchedNames } from "./unmatched-outcome.ts";
import { fieldAt, recordsAt, stringsAt } from "./wire-fields.ts";
import type { AgentFacts } from "./written-plans.ts";

/** One element of spec.policies, without its plan. */
export interface AssignedFacts {
  readonly name: string;
  readonly uid: string;
  /** undefined where the element is not what its hash says: somebody else edited it. */
  readonly hash: string | undefined;
  /** It is in mode Observe. */
  readonly observes?: true;
  readonly retryAt?: string;
}

export interface ReportedPolicy extends Omit<PolicyOnNode, "uid" | "since" | "existingConnections"> {
  readonly existingConnections?: { readonly kept: number; readonly cut: number };
}

/** What the controller keeps of a NodeState: hashes, never plans. */
export interface NodeStateFacts {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** uid of the Node that owns it; undefined where none does. */
  readonly ownerUid: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly assigned: readonly AssignedFacts[];
  /** Undefined where no agent wrote a status yet. */
  readonly agent: AgentFacts | undefined;
  /** spec.keep and spec.unawaited. */
  readonly keep: readonly string[];
  readonly unawaited: readonly string[];
  /** The nodes that the assigned plans name as peers. */
  readonly nodeSelections: readonly NodeSelection[];
  /** Empty where the agent wrote nothing yet, or nothing that can be read. */
  readonly reported: readonly ReportedPolicy[];
  /** What policies in mode Observe would change. */
  readonly observed: readonly ObservedOnNode[];
  readonly wouldSet: readonly WantedOnNode[];
  /** Entries that nothing has matched; absent where the node says nothing of that. */
  readonly unmatched?: readonly UnmatchedName[];
  /** It took a change back that is charged to no policy: of groups, or of what a version makes of policies. */
  readonly rolledBack?: true;
  /** Measured range of local ports. */
  readonly range: string | undefined;
  /** Its pods; undefined where nobody counted. */
  readonly pods?: PodCounts | undefined;
  /** spec.auditRequest. */
  readonly auditRequest: string | undefined;
  /** spec.skipped. */
  readonly skipped?: true;
  /** Absent where the node was not audited yet. */
  readonly audit: AuditFacts | undefined;
  /** When something else last changed what is enforced there, and it was repaired. */
  readonly driftAt: string | undefined;
  readonly probing: ProbingFacts;
  readonly coming: ComingFacts;
}

/** Total, as one that was left out would be created anew. */
export function parseNodeStateFacts(object: KubeObject): NodeStateFacts {
  const { name, uid = "", generation = 0, creationTimestamp = "", ownerReferences = [] } = object.metadata;
  const spec = fieldAt(object, "spec");
  const elements = recordsAt(spec, "policies");
  const request = fieldAt(spec, "auditRequest");
  const status = readNodeStateStatus(fieldAt(object, "status"));
  return {
    name,
    uid,
    generation,
    ownerUid: ownerReferences.find(({ kind }) => kind === "Node")?.uid,
    createdAt: Date.parse(creationTimestamp) || 0,
    assigned: elements.map(assignedFacts),
    agent: status && { version: status.agentVersion, planFormats: status.planFormats },
    keep: stringsAt(spec, "keep"),
    unawaited: stringsAt(spec, "unawaited"),
    nodeSelections: elements.flatMap(({ plan }) => nodeSelectionsIn(plan)),
    reported: (status?.policies ?? []).map(reportedPolicy),
    observed: status?.observed ?? [],
    wouldSet: status?.wouldSet ?? [],
    ...(status?.unmatched === undefined ? {} : { unmatched: unmatchedNames(status.unmatched) }),
    ...(status?.conditions?.some(tookBack) === true ? { rolledBack: true } : {}),
    range: status?.ephemeralPorts?.range,
    pods: status?.ephemeralPorts?.pods,
    auditRequest: typeof request === "string" ? request : undefined,
    ...(fieldAt(spec, "skipped") === true ? { skipped: true } : {}),
    audit: status?.audit && auditFacts(status.audit),
    driftAt: status?.drift?.last?.at,
    probing: probingFacts(spec, status),
    coming: comingFacts(spec, status?.previews),
  };
}

function tookBack({ type, status }: Condition): boolean {
  return type === "RolledBack" && status === "True";
}

function reportedPolicy({
  uid: _,
  since: __,
  existingConnections: existing,
  ...reported
}: PolicyOnNode): ReportedPolicy {
  if (existing === undefined) return reported;
  return { ...reported, existingConnections: { kept: existing.kept, cut: existing.cut } };
}

function assignedFacts(element: Readonly<Record<string, unknown>>): AssignedFacts {
  const { name, uid, hash, priority, mode, retryAt, plan } = element;
  // Any value has a hash; that of a malformed element is not the one that it states.
  const content = { priority, mode, plan } as Pick<AssignedPolicy, "priority" | "mode" | "plan">;
  const intact = typeof hash === "string" && planHash(content) === hash;
  return {
    name: String(name),
    uid: String(uid),
    hash: intact ? hash : undefined,
    // Of what somebody edited nobody can say that it enforces nothing.
    ...(intact && mode === "Observe" ? { observes: true } : {}),
    ...(typeof retryAt === "string" ? { retryAt } : {}),
  };
}
