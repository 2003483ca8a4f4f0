import type { PolicyStatus } from "../api/policy.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { updateStatus } from "../kube/update-status.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import type { PortRange } from "../plan/types.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import type { PodRangeState } from "./pod-range.ts";
import { parsePolicyStatus } from "./policy-facts.ts";
import { policyOutcome } from "./policy-outcome.ts";
import { type PolicyOutcome, summarisePolicy } from "./policy-status.ts";
import { deadlineOf } from "./rollout-progress.ts";
import type { StatusChange, StatusPace } from "./status-pace.ts";
import type { ControllerStores } from "./stores.ts";

export interface PolicyStatusContext {
  readonly client: KubeClient;
  readonly stores: ControllerStores;
  readonly heardAt: (node: string) => number | undefined;
  readonly silentAfterMilliseconds: number;
  readonly nodePortRange: PortRange;
  /** How it stands with the range of new pods; absent: not known yet. */
  readonly podRange?: PodRangeState | undefined;
  /** Whether nodes have had their time to say what a revision would cut. */
  readonly previewsOver: (policy: string, revision: string) => boolean;
  /** Of this policy. */
  readonly pace: StatusPace;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Hears which fields of the status the kind that is served does not know. */
  readonly onLeftOut: (fields: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/**
 * Publishes what was measured, where it says something new. Returns the milliseconds after which time alone may change
 * the answer: an agent falls silent, a roll-out has not come forward, or a write had to wait.
 */
export async function reconcilePolicyStatus(name: string, context: PolicyStatusContext): Promise<number | undefined> {
  const { client, stores, pace, signal } = context;
  const policy = stores.policies.get({ name });
  if (policy === undefined) return undefined;
  const now = context.now();
  const wait = pace.delay("Transition", now);
  if (wait > 0) return wait;
  const { nextSilenceAt, ...outcome } = policyOutcome(policy, { ...context, now });
  const desired = (before: PolicyStatus | undefined) => summarisePolicy(outcome, before, new Date(now));
  const after = desired(policy.status);
  const delay = pace.delay(kindOf(policy.status, after), now);
  pace.looked(context.now() - now, now);
  if (!same(after, policy.status)) {
    if (delay > 0) return delay;
    pace.wrote(now);
    await updateStatus(client, {
      resource: resources.policies,
      key: { name },
      fieldManager: FIELD_MANAGER,
      desired: (current) => {
        const newest = parsePolicyStatus(current);
        const wanted = desired(newest);
        return current.metadata.uid === policy.uid && !same(wanted, newest) ? wanted : undefined;
      },
      signal,
      onLeftOut: context.onLeftOut,
    });
  }
  const againAt = Math.min(nextSilenceAt, overdueAt(outcome, after, now));
  return Number.isFinite(againAt) ? againAt - now : undefined;
}

function overdueAt({ rollout }: PolicyOutcome, { rollout: progress }: PolicyStatus, now: number): number {
  const at = rollout && progress ? deadlineOf(progress, rollout.settings) : Number.POSITIVE_INFINITY;
  return at > now ? at : Number.POSITIVE_INFINITY;
}

function kindOf(before: PolicyStatus | undefined, after: PolicyStatus): StatusChange {
  const turning = (status: PolicyStatus | undefined) => ({
    generation: status?.observedGeneration,
    conditions: status?.conditions?.map(({ type, status }) => `${type} ${status}`),
  });
  return same(turning(before), turning(after)) ? "Counts" : "Transition";
}

function same(a: unknown, b: unknown): boolean {
  return b !== undefined && canonicalJson(a) === canonicalJson(b);
}
