import { isDeepStrictEqual } from "node:util";
import { RollBackError } from "../kernel/errors.ts";
import type { ApplyResult, Kernel, PlannedWrite } from "../kernel/kernel.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Charged } from "./charged.ts";
import { changedParts, rulesCharged } from "./charges.ts";
import { NotConfirmedError, RolledBackError } from "./commit-errors.ts";
import { compileEnforcement, type Enforcement } from "./enforcement.ts";
import type { Guard } from "./guard-folder.ts";
import type { ChangedParts, LeftChange, PendingChange, ProbedChange } from "./pending-change.ts";
import type { Probing } from "./probing.ts";
import type { SavedState } from "./saved-state.ts";
import { formatLastApplied } from "./state-directory.ts";

/**
 * Changes stay only where the node can confirm them (DESIGN 7.4): what brings it back is with the guard before the first byte
 * is written, and what could be reached before can be reached behind it. What was confirmed is applied again without all that.
 */
export interface Commit {
  /**
   * What an agent before this one left, or a change of this one that met with the unforeseen: confirmed now, or rolled back.
   * To be called before anything is applied.
   */
  resume(): Promise<void>;
  /**
   * Applies `enforcement`. `rules` are its own, without what is added to them as time goes by. Throws NotArmedError or what
   * the kernel says (nothing was changed), NotConfirmedError or RolledBackError (it was rolled back).
   */
  apply(enforcement: Enforcement, rules: RuleSet): Promise<ApplyResult>;
  /** The node was cleared: nothing counts as confirmed any more, and what is armed or was rolled back is forgotten. */
  cleared(): Promise<void>;
}

export interface CommitOptions {
  readonly kernel: Pick<Kernel, "apply" | "clear">;
  readonly guard: Guard;
  readonly probing: Probing;
  /** The last confirmed state. */
  readonly saved: Pick<SavedState, "last" | "adopt">;
  readonly charges: Pick<Charged, "list" | "add">;
  readonly settings: () => NodeSettings;
  readonly log: Logger;
  readonly now: () => number;
}

export function commit(options: CommitOptions): Commit {
  const { kernel, guard, probing, saved, charges, log, now } = options;
  /** What this process has confirmed. */
  let confirmed: RuleSet | undefined;
  /** Something may be armed, or rolled back and not charged. */
  let undecided = true;

  /** After a boot the last confirmed state cuts nothing that was not cut before. */
  function isKnown(rules: RuleSet, { fresh }: PlannedWrite): boolean {
    const { policies, groups } = saved.last;
    if (!fresh || policies.length === 0) return false;
    const last = compileEnforcement(policies, { present: groups, before: [] }, options.settings());
    return isDeepStrictEqual(rules, last.rules);
  }

  async function charge(parts: ChangedParts, message: string): Promise<never> {
    await charges.add({ ...parts, message, at: now() });
    throw new RolledBackError(message);
  }

  /** What is armed and applied: confirmed, or rolled back and charged. */
  async function settle(change: ProbedChange): Promise<void> {
    const failing = await probing.failing(change.probes, patience(change));
    if (failing.length === 0) {
      if (await guard.confirm()) return;
      return rolledBack(change);
    }
    log.warn({ failing }, "the node does not reach what it reached before; rolling back");
    await guard.rollBack();
    opened(await guard.left());
    const still = await probing.failing(failing, patience(change));
    try {
      if (still.length === failing.length) {
        const names = failing.join(", ");
        const message = `${names} did not answer behind the change, nor after it was rolled back: the cause is elsewhere`;
        throw new NotConfirmedError(message);
      }
      const ours = failing.filter((name) => !still.includes(name)).join(", ");
      const message = `rolled back: ${ours} answered before the change, not behind it, and again after the roll-back`;
      await charge(change, message);
    } finally {
      await guard.forget();
    }
  }

  /** The guard has done it: this process, or the one before, did not confirm in time. */
  async function rolledBack(change: ChangedParts): Promise<never> {
    const left = await guard.left();
    opened(left);
    const marks = left?.marks ?? new Set();
    if (marks.has("damaged")) {
      await guard.forget();
      throw new NotConfirmedError("rolled back: until when the change might be confirmed was damaged on the disk");
    }
    if (!marks.has("applied") || marks.has("stopped")) {
      await guard.forget();
      throw new NotConfirmedError("rolled back: the agent or the guard was stopped before the change was confirmed");
    }
    try {
      return await charge(change, `rolled back by the guard: ${whyNot(marks)}`);
    } finally {
      await guard.forget();
    }
  }

  function opened(left: LeftChange | undefined): void {
    if (left?.marks.has("opened") !== true) return;
    log.error("the guard could not restore what was there, and has removed our rules; they are written anew");
  }

  async function arm(enforcement: Enforcement, { rollBack }: PlannedWrite): Promise<PendingChange> {
    const { policies, groups, rules } = enforcement;
    const parts = changedParts(saved.last, { policies, groups, rules });
    // A group changes on all nodes at once (a node joins), and all of them would ask.
    const askPeers = parts.policies.length > 0 || policies.length !== saved.last.policies.length;
    const probes = [...(await probing.before(askPeers))];
    const change = { ...parts, probes, last: formatLastApplied({ policies, groups }) };
    await guard.arm(change, rollBack, parts.timeoutSeconds);
    return change;
  }

  return {
    async resume() {
      if (!undecided) return;
      let left = await guard.left();
      if (left === undefined) {
        undecided = false;
        return;
      }
      log.warn({ armed: left.armed, marks: [...left.marks] }, "a change before was not confirmed");
      const { change, boot } = left;
      try {
        if (left.armed && boot === "This" && left.marks.has("applied") && change !== undefined) await settle(change);
        else if (left.armed) await guard.rollBack();
        left = await guard.left();
        if (left !== undefined && change !== undefined && boot !== "Unknown") await rolledBack(change);
        else await guard.forget();
      } catch (error) {
        if (!(error instanceof RolledBackError || error instanceof NotConfirmedError)) throw error;
        log.warn({ err: error }, "a change before was rolled back");
      }
    },
    async apply(enforcement, rules) {
      if (isDeepStrictEqual(rules, confirmed)) return kernel.apply(enforcement.rules);
      const refused = rulesCharged(charges.list, rules);
      if (refused !== undefined) throw new RolledBackError(refused.message);
      let change: PendingChange | undefined;
      let result: ApplyResult;
      try {
        result = await kernel.apply(enforcement.rules, async (write) => {
          if (!isKnown(rules, write)) change = await arm({ ...enforcement, rules }, write);
        });
      } catch (error) {
        // The kernel's layer has put back what was there. Where it could not, the guard tries.
        if (change === undefined) throw error;
        if (error instanceof RollBackError) await guard.rollBack();
        else await guard.withdraw();
        await guard.forget();
        throw error;
      }
      if (change !== undefined) {
        undecided = true;
        if (!(await guard.applied())) {
          // We hung on the way, and have written behind the roll-back.
          if (confirmed === undefined) await kernel.clear();
          else await kernel.apply(confirmed);
          await rolledBack(change);
        }
        await settle(change);
        const { policies, groups } = enforcement;
        saved.adopt({ policies, groups });
      }
      confirmed = rules;
      return result;
    },
    async cleared() {
      confirmed = undefined;
      await guard.withdraw();
      await guard.forget();
      undecided = false;
    },
  };
}

/** Half of the time: the other half is for writing before and confirming behind. */
function patience({ timeoutSeconds = 5 }: ProbedChange): number {
  return (timeoutSeconds * 1_000) / 2;
}

function whyNot(marks: ReadonlySet<string>): string {
  // An agent that starts after a boot asks for it too.
  if (marks.has("rebooted")) return "the change was not confirmed before the node was booted anew";
  if (marks.has("asked")) return "something that answered before the change did not behind it";
  return "the change was not confirmed in time, as the agent was dead or hung";
}
