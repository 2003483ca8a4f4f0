import { mergeScalars } from "../plan/merge-scalars.ts";
import type { Conflict } from "../plan/node-plan.ts";
import { byPrecedence } from "../plan/precedence.ts";
import { byName } from "../plan/text-order.ts";
import type { AssignedPolicy, PortRange } from "../plan/types.ts";
import { askedOf, judgeAudit, type NodeAuditOutcome } from "./audit-outcome.ts";
import { clusterWarnings } from "./cluster-warnings.ts";
import { type ComingTo, comingSummary } from "./coming-summary.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { type DesiredPolicy, desiredPolicies } from "./desired-policies.ts";
import { rolloutOf } from "./fleet-rollout.ts";
import { type Desired, judgeNode, type NodeOutcome, silentFrom } from "./node-outcome.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import type { PodRangeState } from "./pod-range.ts";
import { podsOutcome } from "./pods-outcome.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import type { NodeConflict, PolicyOutcome } from "./policy-status.ts";
import { rollout } from "./rollout.ts";
import { rolloutNode } from "./rollout-node.ts";
import { skippedBy } from "./skipped-nodes.ts";
import type { ControllerStores } from "./stores.ts";

export interface OutcomeContext {
  readonly stores: ControllerStores;
  readonly heardAt: (node: string) => number | undefined;
  readonly silentAfterMilliseconds: number;
  readonly nodePortRange: PortRange;
  /** How it stands with the range of new pods; absent: not known yet. */
  readonly podRange?: PodRangeState | undefined;
  /** Whether nodes have had their time to say what a revision would cut. */
  readonly previewsOver?: (policy: string, revision: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What became of `policy` on every node that it selects, and when the next of them would count as silent. */
export function policyOutcome(
  policy: PolicyFacts,
  { stores, heardAt, silentAfterMilliseconds, nodePortRange, podRange, previewsOver, now }: OutcomeContext,
): PolicyOutcome & { readonly nextSilenceAt: number } {
  const compiled = stores.policies.list().map((facts) => facts.compiled);
  const conflictsOf = conflictFinder(compiled);
  const outcomes: NodeOutcome[] = [];
  const conflicts: NodeConflict[] = [];
  const audits: NodeAuditOutcome[] = [];
  const comingTo: ComingTo[] = [];
  const hearing = { heardAt, silentAfterMilliseconds, now };
  const asked = policy.compiled.outcome === "Compiled" ? askedOf(policy.compiled.element) : undefined;
  let nextSilenceAt = Number.POSITIVE_INFINITY;
  for (const node of stores.nodes.list().toSorted(byName)) {
    const state = stores.nodeStates.get({ name: node.name });
    const onNode = desiredPolicies(compiled, node, state);
    const wanted = onNode.get(policy.name);
    const concerned = rolloutNode(policy.name, { node, state, handed: state, wanted }, hearing);
    if (concerned !== undefined)
      comingTo.push({ node: concerned, said: saidBy(state, policy.name, concerned.desired) });
    if (wanted === undefined) continue;
    const silent = silentFrom(state, heardAt(node.name), silentAfterMilliseconds);
    if (silent > now) nextSilenceAt = Math.min(nextSilenceAt, silent);
    const desired: Desired = "element" in wanted ? { hash: wanted.element.hash } : wanted;
    const outcome = judgeNode(policy.name, desired, { node, state, silentFrom: silent }, now);
    outcomes.push(outcome);
    if (asked !== undefined) {
      const reported = state?.reported.find(({ name }) => name === policy.name);
      const current = "hash" in desired && reported?.hash === desired.hash;
      audits.push(judgeAudit(asked, node.name, { known: outcome.outcome !== "Unknown", current, audit: state?.audit }));
    }
    const lost = conflictsOf(onNode).filter((conflict) => conflict.policy === policy.name);
    conflicts.push(...lost.map((conflict) => ({ ...conflict, node: node.name })));
  }
  const { compiled: own, generation } = policy;
  // The measured range is not the work of a policy that observes.
  const setsRange =
    own.outcome === "Compiled" &&
    own.element.mode === "Enforce" &&
    own.element.plan.ephemeralPorts?.range !== undefined;
  const observes = own.outcome === "Compiled" && own.element.mode === "Observe";
  const settings = rolloutOf(policy);
  const problem = own.outcome === "Compiled" ? undefined : own.problem;
  const warnings = own.outcome === "Compiled" ? clusterWarnings(own.element.plan, stores, nodePortRange) : [];
  const rollingOut = comingTo.map(({ node }) => node);
  const pods = podsOutcome(policy, { found: podRange, all: compiled }, outcomes);
  const revision = own.outcome === "Compiled" ? own.element.hash : undefined;
  const over = revision !== undefined && previewsOver?.(policy.name, revision) === true;
  const preview =
    // All at once waits for nobody's word.
    revision === undefined || observes || (settings.strategy === "Immediate" && !settings.paused)
      ? undefined
      : comingSummary(revision, comingTo, over);
  return {
    generation,
    problem,
    outcomes,
    conflicts,
    setsRange,
    observes,
    warnings,
    ...(revision === undefined
      ? {}
      : { rollout: { decision: rollout(settings, rollingOut, { over, shown: true }), settings, revision } }),
    ...(preview === undefined ? {} : { preview }),
    skipped: skippedBy(policy.compiled, stores.nodes.list()),
    ...(asked === undefined ? {} : { audits }),
    ...(pods === undefined ? {} : { pods }),
    nextSilenceAt,
  };
}

function saidBy(state: NodeStateFacts | undefined, policy: string, desired: string | undefined) {
  return state?.coming.said?.find(({ name, hash }) => name === policy && hash === desired);
}

/** Nodes with the same policies have the same conflicts, so they are computed once for all of those. */
function conflictFinder(policies: readonly CompiledPolicy[]) {
  const asked = new Map<string, AssignedPolicy>();
  for (const policy of policies) if (policy.outcome === "Compiled") asked.set(policy.name, policy.element);
  const known = new Map<string, readonly Conflict[]>();
  return (onNode: ReadonlyMap<string, DesiredPolicy>): readonly Conflict[] => {
    const elements = [...onNode].flatMap(([name, wanted]) => ("element" in wanted ? (asked.get(name) ?? []) : []));
    elements.sort(byPrecedence);
    const key = elements.map(({ name }) => name).join(" ");
    const found = known.get(key) ?? mergeScalars(elements).conflicts;
    known.set(key, found);
    return found;
  };
}
