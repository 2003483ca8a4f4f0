import type { DriftEvent } from "../kernel/kernel.ts";
import { withFound } from "../plan/found-failsafes.ts";
import { readLimitFills } from "./limit-fill.ts";
import { messageOf } from "./outcomes.ts";
import { type ReconcilerOptions, reconcilerParts } from "./reconciler-parts.ts";
import { reporting } from "./reporting.ts";

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
  const { kernel, inputs, log, metrics, audits, measuring, disengaged: off } = options;
  const { wallOf } = options.clock;
  const parts = reconcilerParts(options, (result) => said.tookReadBack(result));
  const { facts, saved, charges, assigned, settings, shown, drift, evaded, ahead, aim, enforce } = parts;
  const { drops, dropped, existing, observed, remarks } = parts;
  const said = reporting(options, parts);
  let countersReadAt: number | undefined;

  /** Before rules are compiled: a new policy must not close a port to which the SSH server has just moved. */
  async function lookForFailsafes(): Promise<void> {
    await shown.look();
    settings.pass(withFound(options.settings.failsafes, shown.facts));
    measuring.follow(enforce, settings.current.failsafes.inbound);
  }

  async function repairDrift(): Promise<void> {
    const rules = enforce.held?.rules;
    if (rules === undefined) return;
    const repair = await drift.check(rules);
    if (repair === undefined) return;
    const { result, ...rest } = repair;
    said.tookRepair(rest);
    // Meanwhile somebody may have opened what is refused.
    existing.changed(enforce.held);
    said.tookReadBack(result);
    metrics.repaired(repair);
    log.warn({ by: repair.by, what: repair.what.slice(0, 20), milliseconds: repair.milliseconds }, "drift repaired");
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
      said.unresumed(undefined);
    } catch (error) {
      said.unresumed(error);
      await facts.learn();
      assigned.next(saved, settings.current, charges.list);
      // That was for the status; what to aim at is asked again when it goes on.
      assigned.again();
      await said.report();
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
    if (drift.verifiedAt === undefined || drift.verifiedAt === countersReadAt) return;
    countersReadAt = drift.verifiedAt;
    await observed.read();
    said.publish();
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
        if (enforce.held === undefined) said.cleared();
        existing.changed(enforce.held);
      }
      followAudits();
      await repairDrift();
      // A node may have many connections: whether the rules are in force is said before all are looked at. Not by the first
      // status of a process, which shall not say less than the one before the restart.
      const restarted = said.silent;
      if (!restarted) await said.report();
      await lookAround();
      if (restarted) await observed.read();
      await dropped.look();
      await said.report();
      await saved.flush();
      await readCounters();
      const held = enforce.held === undefined ? Number.POSITIVE_INFINITY : Math.min(drift.wakeAt(), shown.wakeAt());
      return Math.min(held, facts.wakeAt(), enforce.wakeAt(), existing.wakeAt(), dropped.wakeAt(), saved.wakeAt());
    },
    noticed(event) {
      settings.outdated();
      evaded.noticed(event);
      drift.noticed(event);
    },
    async collect() {
      await observed.read();
      const conntrack = await kernel.sysctls([CONNTRACK_COUNT, CONNTRACK_MAX]);
      metrics.conntrack(Number(conntrack.get(CONNTRACK_COUNT)), Number(conntrack.get(CONNTRACK_MAX)));
      metrics.drops(drops);
      metrics.limitFills(await readLimitFills(kernel, enforce.held?.plan ?? { rateLimits: [] }, log));
      metrics.verified(drift.verifiedAt && wallOf(drift.verifiedAt));
      metrics.sysctls(said.sysctls);
    },
    notReady: () => [...inputs.missing, ...(facts.error === undefined ? [] : [messageOf(facts.error)])],
  };
}
