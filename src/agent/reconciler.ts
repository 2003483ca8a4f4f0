import type { NodeStateStatus } from "../api/node-state.ts";
import type { HostView } from "../audit/host-view.ts";
import type { ApplyResult, DriftEvent, Kernel } from "../kernel/kernel.ts";
import { withFound } from "../plan/found-failsafes.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import { LOCAL_PORT_RANGE, LOCAL_RESERVED_PORTS } from "../plan/port-sysctls.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { aiming } from "./aiming.ts";
import { assignment } from "./assignment.ts";
import { charged } from "./charged.ts";
import type { Coming } from "./coming.ts";
import { commit } from "./commit.ts";
import { currentSettings } from "./current-settings.ts";
import { type Disengaged, disengagedOutcomes } from "./disengaged.ts";
import { driftGuard, type Mismatch, type Repair } from "./drift-guard.ts";
import { dropLog } from "./drop-log.ts";
import { dropReader } from "./drop-reader.ts";
import { enforcer } from "./enforcer.ts";
import { existingGuard } from "./existing.ts";
import { failsafesOnNode } from "./failsafes-on-node.ts";
import { foundFacts } from "./found-facts.ts";
import type { FoundFile } from "./found-file.ts";
import type { Guard } from "./guard-folder.ts";
import { hookEvasions } from "./hook-evasions.ts";
import type { AgentInputs, NodeStateRecord } from "./inputs.ts";
import { learnedFacts } from "./learned-facts.ts";
import { readLimitFills } from "./limit-fill.ts";
import type { NodeAudits } from "./node-audits.ts";
import { nodeProblems } from "./node-problems.ts";
import { nodeRemarks } from "./node-remarks.ts";
import type { NodeSight } from "./node-sight.ts";
import { nodeStatus, type Observation, type PolicyOutcome, type ReadBack } from "./node-status.ts";
import { observedReader } from "./observed-reader.ts";
import { messageOf, outcomesOf, reasonOf } from "./outcomes.ts";
import type { PeerMeasuring } from "./peer-measuring.ts";
import type { PodRanges } from "./pod-ranges.ts";
import type { Probing } from "./probing.ts";
import { savedState } from "./saved-state.ts";
import { servicesAhead } from "./services-ahead.ts";
import type { StateDirectory } from "./state-directory.ts";
import type { SteadyClock } from "./steady-clock.ts";
import { unmatchedEntries } from "./unmatched-entries.ts";

export interface ReconcilerOptions {
  readonly kernel: Kernel;
  readonly inputs: AgentInputs;
  readonly directory: StateDirectory;
  readonly settings: NodeSettings;
  readonly host: Pick<HostView, "modifiedAt">;
  /** What the node itself shows, and where that is kept. */
  readonly found: { readonly sight: NodeSight; readonly file: FoundFile };
  readonly disengaged: Disengaged;
  readonly agentVersion: string;
  readonly primeMilliseconds: number;
  readonly log: Logger;
  readonly metrics: AgentMetrics;
  readonly guard: Guard;
  readonly probing: Probing;
  readonly audits: Pick<NodeAudits, "follow" | "remember" | "status">;
  readonly measuring: Pick<PeerMeasuring, "follow" | "status">;
  readonly pods: Pick<PodRanges, "follow" | "counts">;
  /** Absent: there is no roll-out that anything waits for. */
  readonly coming?: Pick<Coming, "follow" | "looking" | "remember" | "status">;
  /** Paces everything; what people read is told by its `wallOf`. */
  readonly clock: SteadyClock;
  /** Hands a status over for writing; must not block. Called after each pass, also where nothing changed. */
  readonly publish: (uid: string | undefined, status: NodeStateStatus) => void;
}

export interface Reconciler {
  /**
   * One level-based pass: what is assigned, what the kernel holds, what is due. Returns when the next one is due
   * (milliseconds of the clock, Infinity for never). Never two at once.
   */
  reconcile(): Promise<number>;
  /** Somebody touched the kernel: the next pass looks. */
  noticed(event: DriftEvent): void;
  /** Brings the metrics that are read on demand up to date. */
  collect(): Promise<void>;
  /** Why this agent cannot do its work; a policy that fails is no such reason. */
  notReady(): readonly string[];
}

const CONNTRACK_COUNT = "net.netfilter.nf_conntrack_count";
const CONNTRACK_MAX = "net.netfilter.nf_conntrack_max";

export function reconciler(options: ReconcilerOptions): Reconciler {
  const { kernel, inputs, log, metrics, audits, measuring } = options;
  const { now, wallOf } = options.clock;
  const wall = () => wallOf(now());
  const facts = learnedFacts({ kernel, log, now });
  const saved = savedState({ directory: options.directory, log, now });
  const charges = charged(options.directory, log);
  const assigned = assignment({ inputs, log });
  const settings = currentSettings({ kernel, installed: options.settings, log });
  const off = options.disengaged;
  const shown = foundFacts({ ...options.found, log, now });
  const guard = driftGuard({ kernel, now });
  const evaded = hookEvasions({ kernel, now });
  const ahead = servicesAhead(options.host, log);
  const remarks = nodeRemarks({ kernel, log, now });
  const unmatched = unmatchedEntries(() => wallOf(now()));
  const drops = dropReader({
    kernel,
    rules: () => enforce.held?.rules,
    onRead: (counters) => enforce.held && unmatched.add(counters, enforce.held),
    log,
  });
  const dropped = dropLog({ kernel, drops, held: () => enforce.held, log, now });
  const existing = existingGuard({ kernel, log, now });
  const observed = observedReader({ kernel, drops, held: () => enforce.held, log });
  const committing = commit({ ...options, saved, charges, settings: () => settings.current, now: wall });
  const aim = aiming({ inputs, assigned, saved, settings, charges, committing, off, enforcer: () => enforce });
  const enforce = enforcer({
    kernel,
    commit: committing,
    log,
    now,
    primeMilliseconds: options.primeMilliseconds,
    // What conntrack knew may be forgotten since.
    judgedBefore: () =>
      !off.ever && saved.last.policies.some(({ plan }) => (plan.inbound ?? plan.outbound) !== undefined),
    complete: existing.complete,
    beforeReplace: async () => {
      await observed.read();
      await dropped.take();
    },
    onApplied: (result) => {
      guard.confirmed();
      metrics.applied(result);
      tookReadBack(result);
    },
    onFailed: () => {
      guard.suspect();
      metrics.applyFailed();
    },
  });
  /** Why nobody knows whether a change waits to be confirmed. */
  let unresumed: unknown;
  let readBack: ReadBack | undefined;
  let lastRepair: Repair | undefined;
  let repairs = 0;
  let countersReadAt: number | undefined;
  let sysctls: ReadonlyMap<string, string | undefined> = new Map();
  /** What this node's NodeState is known to say: seeded from what an agent before this one wrote. */
  let published: { readonly uid: string | undefined; readonly status: NodeStateStatus | undefined } | undefined;

  function tookReadBack({ unchanged, readBackHash: hash, milliseconds }: ApplyResult): void {
    readBack = unchanged ? { ...readBack, hash } : { hash, written: { at: wall(), milliseconds } };
  }

  /** Before rules are compiled: a new policy must not close a port to which the SSH server has just moved. */
  async function lookForFailsafes(): Promise<void> {
    await shown.look();
    settings.pass(withFound(options.settings.failsafes, shown.facts));
    measuring.follow(enforce, settings.current.failsafes.inbound);
  }

  async function repairDrift(): Promise<void> {
    const rules = enforce.held?.rules;
    if (rules === undefined) return;
    const repair = await guard.check(rules);
    if (repair === undefined) return;
    const { result, ...rest } = repair;
    lastRepair = { ...rest, at: wallOf(rest.at) };
    repairs += 1;
    // Meanwhile somebody may have opened what is refused.
    existing.changed(enforce.held);
    tookReadBack(result);
    metrics.repaired(repair);
    log.warn({ by: repair.by, what: repair.what.slice(0, 20), milliseconds: repair.milliseconds }, "drift repaired");
  }

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
    const found = guard.mismatch;
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
      evasions: enforce.held === undefined ? [] : evaded.current(),
      bypassed: ahead.current,
      remarksOf: remarks.of,
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
      options.coming?.remember(status?.previews ?? []);
      unmatched.carryOn(status ?? {});
      if (status?.audit !== undefined) audits.remember(status.audit, status.listeners);
    }
    published = { uid, status };
  }

  function followComing({ previews = [] }: NodeStateRecord): void {
    const { held } = enforce;
    options.coming?.follow({
      waiting: previews,
      held,
      settling: held === undefined && off.current === undefined && assigned.policies.policies.length > 0,
      groups: inputs.groups(),
      settings: settings.current,
      revision: inputs.revision,
    });
  }

  function publish(): void {
    const state = inputs.synced ? inputs.nodeState() : undefined;
    if (state !== undefined) carryOn(state);
    const found = outcomes();
    const problems = nodeProblems({
      fight: guard.fight(),
      notSaved: saved.failure ?? shown.failure,
      unknown: existing.failure,
      disengagement: off.current,
      charges: charges.list,
      refusals: inputs.refusals,
    });
    metrics.policies(found);
    metrics.problems(problems);
    if (state === undefined) return;
    measuring.follow(enforce, settings.current.failsafes.inbound);
    options.pods.follow(enforce.held?.plan);
    followComing(state);
    const seen: Observation = {
      // What comes is part of the spec, and said in the same write: a node has one for each revision that waits.
      generation:
        options.coming?.looking() === true
          ? (published?.status?.observedGeneration ?? state.generation)
          : state.generation,
      skipped: state.skipped === true,
      agentVersion: options.agentVersion,
      facts: facts.value,
      policies: found,
      failure: failure(),
      problems,
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
      previews: options.coming?.status(),
    };
    const status = nodeStatus(seen, published?.status, wall());
    published = { uid: state.uid, status };
    options.publish(state.uid, status);
  }

  async function report(): Promise<void> {
    await measure();
    publish();
  }

  /** Without a NodeState, what is in the kernel stays, and its audits with it. */
  function followAudits(): void {
    const state = inputs.synced ? inputs.nodeState() : undefined;
    const policies = state?.policies === undefined ? (enforce.held?.policies ?? []) : assigned.policies.policies;
    audits.follow({ policies, held: enforce.held, request: state?.auditRequest });
  }

  /** Nothing is applied over a change of which nobody knows what becomes of it. Where that cannot be seen, says so and throws. */
  async function resume(): Promise<void> {
    try {
      await aim.resume();
      unresumed = undefined;
    } catch (error) {
      unresumed = error;
      await facts.learn();
      assigned.next(saved, settings.current, charges.list);
      // That was for the status; what to aim at is asked again when it goes on.
      assigned.again();
      await report();
      throw error;
    }
  }

  function remember(): void {
    const { policies, groups } = enforce.held ?? { policies: [], groups: [] };
    const names = new Set(policies.map(({ name }) => name));
    drops.keep(names, observed.isObserving);
    dropped.keep(names);
    saved.remember({ policies, groups });
  }

  /** What takes its time: connections that are open, listeners, files of others. */
  async function lookAround(): Promise<void> {
    if (await existing.look(enforce.held)) {
      enforce.again();
      await enforce.reach();
    }
    await remarks.refresh(enforce.held);
  }

  /** Counters after what must be fast, as often as everything is verified. */
  async function readCounters(): Promise<void> {
    if (guard.verifiedAt === undefined || guard.verifiedAt === countersReadAt) return;
    countersReadAt = guard.verifiedAt;
    await observed.read();
    publish();
  }

  return {
    async reconcile() {
      if (await off.look()) assigned.again();
      await resume();
      await saved.load();
      await facts.learn();
      await Promise.all([lookForFailsafes(), ahead.look()]);
      if (await aim.reach()) {
        // What was enforced before is what a node that is engaged again begins with.
        if (off.current === undefined) remember();
        if (enforce.held === undefined) readBack = undefined;
        existing.changed(enforce.held);
      }
      followAudits();
      await repairDrift();
      // A node may have many connections: whether the rules are in force is said before all are looked at. Not by the first
      // status of a process, which shall not say less than the one before the restart.
      const restarted = published === undefined;
      if (!restarted) await report();
      await lookAround();
      if (restarted) await observed.read();
      await dropped.look();
      await report();
      await saved.flush();
      await readCounters();
      const held = enforce.held === undefined ? Number.POSITIVE_INFINITY : Math.min(guard.wakeAt(), shown.wakeAt());
      return Math.min(held, facts.wakeAt(), enforce.wakeAt(), existing.wakeAt(), dropped.wakeAt(), saved.wakeAt());
    },
    noticed(event) {
      settings.outdated();
      evaded.noticed(event);
      guard.noticed(event);
    },
    async collect() {
      await observed.read();
      const conntrack = await kernel.sysctls([CONNTRACK_COUNT, CONNTRACK_MAX]);
      metrics.conntrack(Number(conntrack.get(CONNTRACK_COUNT)), Number(conntrack.get(CONNTRACK_MAX)));
      metrics.drops(drops);
      metrics.limitFills(await readLimitFills(kernel, enforce.held?.plan ?? { rateLimits: [] }, log));
      metrics.verified(guard.verifiedAt && wallOf(guard.verifiedAt));
      metrics.sysctls(sysctls);
    },
    notReady: () => [...inputs.missing, ...(facts.error === undefined ? [] : [messageOf(facts.error)])],
  };
}
