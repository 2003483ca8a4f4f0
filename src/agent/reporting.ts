import type { NodeStateStatus } from "../api/node-state.ts";
import type { ApplyResult } from "../kernel/kernel.ts";
import { LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS } from "../plan/port-sysctls.ts";
import { disengagedOutcomes } from "./disengaged.ts";
import type { Mismatch, Repair } from "./drift-guard.ts";
import { failsafesOnNode } from "./failsafes-on-node.ts";
import type { NodeStateRecord } from "./inputs.ts";
import { nodeProblems } from "./node-problems.ts";
import { nodeStatus, type Observation, type PolicyOutcome, type ReadBack } from "./node-status.ts";
import { messageOf, outcomesOf, reasonOf } from "./outcomes.ts";
import type { ReconcilerOptions, ReconcilerParts } from "./reconciler-parts.ts";

/** What was measured, as the node's status. */
export interface Reporting {
  /** Measures settings anew, and publishes. */
  report(): Promise<void>;
  /** Hands over what is known. */
  publish(): void;
  /** Nothing was published by this process. */
  readonly silent: boolean;
  /** As they were measured last. */
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  tookReadBack(result: ApplyResult): void;
  tookRepair(repair: Omit<Repair, "result">): void;
  /** The node holds nothing any more. */
  cleared(): void;
  /** Why nobody knows whether a change waits to be confirmed; undefined: it is known. */
  unresumed(error: unknown): void;
}

export function reporting(options: ReconcilerOptions, parts: ReconcilerParts): Reporting {
  const { kernel, inputs, log, metrics, audits, measuring, coming, disengaged: off } = options;
  const { assigned, enforce, drift, shown, drops, dropped, existing, observed, unmatched, settings } = parts;
  const { now, wallOf } = options.clock;
  const wall = () => wallOf(now());
  let unresumed: unknown;
  let readBack: ReadBack | undefined;
  let lastRepair: Omit<Repair, "result"> | undefined;
  let repairs = 0;
  let sysctls: ReadonlyMap<string, string | undefined> = new Map();
  /** What this node's NodeState is known to say: seeded from what an agent before this one wrote. */
  let published: { readonly uid: string | undefined; readonly status: NodeStateStatus | undefined } | undefined;

  async function measure(): Promise<void> {
    const held = enforce.held?.rules.sysctls ?? [];
    const keys = [LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS, ...[...held, ...observed.settings()].map(({ key }) => key)];
    try {
      sysctls = await kernel.sysctls(keys);
    } catch (err) {
      // Measured values inform; whether they are right is what verify says.
      log.warn({ err }, "sysctls not read");
    }
  }

  /** In whole seconds: a wall clock that is slewed is no news. */
  function mismatch(): Mismatch | undefined {
    const found = drift.mismatch;
    return found && { ...found, until: Math.ceil(wallOf(found.until) / 1_000) * 1_000 };
  }

  function outcomes(): PolicyOutcome[] {
    const standing = {
      assigned: assigned.policies,
      held: enforce.held,
      mismatch: enforce.held === undefined ? undefined : mismatch(),
      failure: unresumed ?? assigned.failure ?? enforce.failure,
      priming: enforce.priming,
      waiting: assigned.problem,
      evasions: enforce.held === undefined ? [] : parts.evaded.current(),
      bypassed: parts.ahead.current,
      remarksOf: parts.remarks.of,
    };
    const all =
      off.current === undefined
        ? outcomesOf(standing)
        : disengagedOutcomes(standing.assigned.revisions, off.current, enforce.failure);
    return all.map((one) => {
      const connections = existing.ofPolicy(one.name);
      const counted = { ...one, ...drops.ofPolicy(one.name, observed.isObserving(one.name)) };
      return connections === undefined ? counted : { ...counted, existingConnections: connections };
    });
  }

  function failure(): Observation["failure"] {
    if (assigned.problem !== undefined) return assigned.problem;
    // With policies assigned it stands at those that it concerns.
    if (assigned.policies.revisions.length > 0 || enforce.failure === undefined) return undefined;
    return { reason: reasonOf(enforce.failure, "ClearFailed"), message: messageOf(enforce.failure) };
  }

  /** What an agent before this one counted goes on; a new NodeState starts from what this one counted. */
  function carryOn({ uid, status }: NodeStateRecord): void {
    if (published !== undefined && published.uid === uid) return;
    if (published === undefined) {
      repairs += status?.drift?.count ?? 0;
      for (const policy of status?.policies ?? []) drops.carryOn(policy);
      dropped.carryOn(status?.dropped ?? []);
      coming?.remember(status?.previews ?? []);
      unmatched.carryOn(status ?? {});
      if (status?.audit !== undefined) audits.remember(status.audit, status.listeners);
    }
    published = { uid, status };
  }

  function followComing({ previews = [] }: NodeStateRecord): void {
    const { held } = enforce;
    coming?.follow({
      waiting: previews,
      held,
      settling: held === undefined && off.current === undefined && assigned.policies.policies.length > 0,
      groups: inputs.groups(),
      settings: settings.current,
      revision: inputs.revision,
    });
  }

  function observation(state: NodeStateRecord, found: Pick<Observation, "policies" | "problems">): Observation {
    return {
      // What comes is part of the spec, and said in the same write: a node has one for each revision that waits.
      generation:
        coming?.looking() === true ? (published?.status?.observedGeneration ?? state.generation) : state.generation,
      skipped: state.skipped === true,
      agentVersion: options.agentVersion,
      facts: parts.facts.value,
      ...found,
      failure: failure(),
      sysctls,
      failsafes: failsafesOnNode(enforce.held?.plan, shown.facts),
      ...observed.status(sysctls),
      dropped: dropped.status(),
      unmatched: unmatched.status(enforce.held),
      pods: options.pods.counts(),
      readBack,
      repairs,
      lastRepair,
      audits: audits.status(published?.status),
      measuring: measuring.status(),
      previews: coming?.status(),
    };
  }

  const problems = () =>
    nodeProblems({
      fight: drift.fight(),
      notSaved: parts.saved.failure ?? shown.failure,
      unknown: existing.failure,
      disengagement: off.current,
      charges: parts.charges.list,
      refusals: inputs.refusals,
    });

  function publish(): void {
    const state = inputs.synced ? inputs.nodeState() : undefined;
    if (state !== undefined) carryOn(state);
    const found = { policies: outcomes(), problems: problems() };
    metrics.policies(found.policies);
    metrics.problems(found.problems);
    if (state === undefined) return;
    measuring.follow(enforce, settings.current.failsafes.inbound);
    options.pods.follow(enforce.held?.plan);
    followComing(state);
    const status = nodeStatus(observation(state, found), published?.status, wall());
    published = { uid: state.uid, status };
    options.publish(state.uid, status);
  }

  return {
    async report() {
      await measure();
      publish();
    },
    publish,
    get silent() {
      return published === undefined;
    },
    get sysctls() {
      return sysctls;
    },
    tookReadBack({ unchanged, readBackHash: hash, milliseconds }) {
      readBack = unchanged ? { ...readBack, hash } : { hash, written: { at: wall(), milliseconds } };
    },
    tookRepair(repair) {
      lastRepair = { ...repair, at: wallOf(repair.at) };
      repairs += 1;
    },
    cleared() {
      readBack = undefined;
    },
    unresumed(error) {
      unresumed = error;
    },
  };
}
