import type { Assignment } from "./assignment.ts";
import type { Charged } from "./charged.ts";
import type { Commit } from "./commit.ts";
import type { CurrentSettings } from "./current-settings.ts";
import type { Disengaged } from "./disengaged.ts";
import type { Enforcer, ReachableTarget } from "./enforcer.ts";
import type { AgentInputs } from "./inputs.ts";
import type { SavedState } from "./saved-state.ts";

/** From what is assigned to what is enforced, without what was rolled back. */
export interface Aiming {
  /** Before anything else: what is undecided, and what was rolled back. */
  resume(): Promise<void>;
  /** Aims at what is assigned, and does what is due. True where it was reached by this call. */
  reach(): Promise<boolean>;
}

export interface AimingOptions {
  readonly inputs: Pick<AgentInputs, "synced">;
  readonly assigned: Assignment;
  readonly saved: Pick<SavedState, "last" | "lost">;
  readonly settings: CurrentSettings;
  readonly charges: Charged;
  readonly committing: Pick<Commit, "resume">;
  /** As the latest look saw it. */
  readonly off: Pick<Disengaged, "current">;
  readonly enforcer: () => Enforcer;
}

/** Each change that is rolled back leaves less to try. */
const TRIES_A_PASS = 4;

export function aiming({
  inputs,
  assigned,
  saved,
  settings,
  charges,
  committing,
  off,
  enforcer,
}: AimingOptions): Aiming {
  let loaded = false;
  const next = () => assigned.next(saved, settings.current, charges.list);

  /** What rejects is aimed at knowing whether this node can. */
  async function nextTarget(): Promise<ReachableTarget | undefined> {
    const target = next();
    const aimed = target?.kind === "Enforce" ? target.enforcement : enforcer().held;
    const rejects = aimed?.policies.some(({ plan }) => plan.inbound?.defaultAction === "Reject") === true;
    if (!rejects || !(await settings.refresh())) return target;
    return next() ?? target;
  }

  return {
    async resume() {
      if (!loaded) await charges.load();
      loaded = true;
      // Of a node that a person took out nothing is confirmed: what is armed goes when it is cleared.
      if (off.current === undefined) await committing.resume();
    },
    async reach() {
      for (let tries = 1; ; tries += 1) {
        const { revision } = charges;
        const assignedTarget = await nextTarget();
        const target = off.current === undefined ? assignedTarget : ({ kind: "Clear" } as const);
        if (target !== undefined) enforcer().aim(target);
        const { read, revisions } = assigned.policies;
        // An element that cannot be read may be the one that was rolled back.
        if (inputs.synced && read.length === revisions.length) await charges.keep(read);
        const reached = await enforcer().reach();
        // Where a change was rolled back, what is left of it is aimed at in the same pass.
        if (reached || charges.revision === revision || tries === TRIES_A_PASS) return reached;
      }
    },
  };
}
