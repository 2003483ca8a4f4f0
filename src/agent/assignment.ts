import { RETRY_ANNOTATION } from "../api/rollout.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type AssignedPolicies, readAssignedPolicies } from "./assigned-policies.ts";
import { type Charges, isCharged, withoutCharged } from "./charges.ts";
import { compileEnforcement } from "./enforcement.ts";
import type { ReachableTarget } from "./enforcer.ts";
import type { AgentInputs } from "./inputs.ts";
import type { SavedState } from "./saved-state.ts";
import type { LastApplied } from "./state-directory.ts";
import { targetOf } from "./target.ts";

/** Follows what is assigned to this node. */
export interface Assignment {
  /** Looks where something changed. What to aim at from now on; undefined leaves the aim as it is. */
  next(
    saved: Pick<SavedState, "last" | "lost">,
    settings: NodeSettings,
    charges?: ChargesList,
  ): ReachableTarget | undefined;
  /** The aim was lost: the next `next` gives it anew, though nothing changed. */
  again(): void;
  readonly policies: AssignedPolicies;
  /** Why the policies cannot be made into one plan. */
  readonly failure: unknown;
  /** What is wrong with the NodeState itself. */
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

type ChargesList = readonly Charges[];

const NOTHING: AssignedPolicies = { policies: [], read: [], revisions: [], refused: [], nameless: [] };

export function assignment({ inputs, log }: { readonly inputs: AgentInputs; readonly log: Logger }): Assignment {
  let policies = NOTHING;
  let failure: unknown;
  let problem: Assignment["problem"];
  let aimed = false;
  let seenRevision: number | undefined;
  let seenSettings: NodeSettings | undefined;
  let seenCharges: ChargesList = [];

  /** What was enforced last, where nothing better is known: a reboot with the API server away is protected. */
  function fromDisk(last: LastApplied, settings: NodeSettings): ReachableTarget | undefined {
    const known = aimed && settings === seenSettings;
    if (known || last.policies.length === 0) return undefined;
    aimed = true;
    seenSettings = settings;
    const groups = { present: last.groups, before: [] };
    return { kind: "Enforce", enforcement: compileEnforcement(last.policies, groups, settings) };
  }

  function fromServer({ last, lost }: Pick<SavedState, "last" | "lost">, settings: NodeSettings) {
    const state = inputs.nodeState();
    const rolledBack = (policy: AssignedPolicy) => {
      const message = isCharged(seenCharges, policy)?.message;
      return message && `${message}; annotate the policy with ${RETRY_ANNOTATION} to have it tried again`;
    };
    policies = readAssignedPolicies(state?.policies ?? [], last.policies, { lost, keep: state?.keep, rolledBack });
    const present = withoutCharged(seenCharges, inputs.groups(), last.groups);
    const known = { policies, lost };
    const target = targetOf(state, known, { present, before: last.groups }, settings);
    const [nameless] = policies.nameless;
    if (nameless !== undefined) problem = { reason: "SpecUnreadable", message: nameless };
    if (target.kind !== "Keep") {
      aimed = true;
      return target;
    }
    if (state !== undefined) problem = { reason: target.reason, message: target.message };
    log.info({ reason: target.reason, why: target.message }, "nothing to go by; the node is left as it is");
    return fromDisk(last, settings);
  }

  return {
    next(saved, settings, charges = []) {
      const same = inputs.revision === seenRevision && settings === seenSettings && charges === seenCharges;
      if (inputs.synced && same) return undefined;
      seenCharges = charges;
      try {
        if (!inputs.synced) return fromDisk(saved.last, settings);
        seenRevision = inputs.revision;
        seenSettings = settings;
        failure = undefined;
        problem = undefined;
        return fromServer(saved, settings);
      } catch (error) {
        failure = error;
        log.error({ err: error }, "policies cannot be merged; the node is left as it is");
        return undefined;
      }
    },
    again() {
      aimed = false;
      seenRevision = undefined;
    },
    get policies() {
      return policies;
    },
    get failure() {
      return failure;
    },
    get problem() {
      return problem;
    },
  };
}
