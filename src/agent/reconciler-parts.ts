import type { NodeStateStatus } from "../api/node-state.ts";
import type { HostView } from "../audit/host-view.ts";
import type { ApplyResult, Kernel } from "../kernel/kernel.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { aiming } from "./aiming.ts";
import { assignment } from "./assignment.ts";
import { charged } from "./charged.ts";
import type { Coming } from "./coming.ts";
import { commit } from "./commit.ts";
import { currentSettings } from "./current-settings.ts";
import type { Disengaged } from "./disengaged.ts";
import { driftGuard } from "./drift-guard.ts";
import { dropLog } from "./drop-log.ts";
import { dropReader } from "./drop-reader.ts";
import { enforcer } from "./enforcer.ts";
import { existingGuard } from "./existing.ts";
import { foundFacts } from "./found-facts.ts";
import type { FoundFile } from "./found-file.ts";
import type { Guard } from "./guard-folder.ts";
import { hookEvasions } from "./hook-evasions.ts";
import type { AgentInputs } from "./inputs.ts";
import { learnedFacts } from "./learned-facts.ts";
import type { NodeAudits } from "./node-audits.ts";
import { nodeRemarks } from "./node-remarks.ts";
import type { NodeSight } from "./node-sight.ts";
import { observedReader } from "./observed-reader.ts";
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

export type ReconcilerParts = ReturnType<typeof reconcilerParts>;

/** What a pass works with, put together. `onApplied`: rules were written and read back, or found as they should be. */
export function reconcilerParts(options: ReconcilerOptions, onApplied: (result: ApplyResult) => void) {
  const { kernel, inputs, log, metrics, disengaged: off } = options;
  const { now, wallOf } = options.clock;
  const wall = () => wallOf(now());
  const facts = learnedFacts({ kernel, log, now });
  const saved = savedState({ directory: options.directory, log, now });
  const charges = charged(options.directory, log);
  const assigned = assignment({ inputs, log });
  const settings = currentSettings({ kernel, installed: options.settings, log });
  const shown = foundFacts({ ...options.found, log, now });
  const drift = driftGuard({ kernel, now });
  const evaded = hookEvasions({ kernel, now });
  const ahead = servicesAhead(options.host, log);
  const remarks = nodeRemarks({ kernel, log, now });
  const unmatched = unmatchedEntries(wall);
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
      drift.confirmed();
      metrics.applied(result);
      onApplied(result);
    },
    onFailed: () => {
      drift.suspect();
      metrics.applyFailed();
    },
  });
  return {
    facts,
    saved,
    charges,
    assigned,
    settings,
    shown,
    drift,
    evaded,
    ahead,
    remarks,
    unmatched,
    drops,
    dropped,
    existing,
    observed,
    aim,
    enforce,
  };
}
