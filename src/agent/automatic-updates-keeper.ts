import { isDeepStrictEqual } from "node:util";
import type { Check } from "../audit/check.ts";
import type { CheckResult } from "../audit/finding.ts";
import { clipped } from "../audit/updates/listed.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type ChangedHost, ensureAutomaticUpdates, type Reached, undoAutomaticUpdates } from "./automatic-updates.ts";

const AUTOMATIC_UPDATES_CHECK = "automatic-updates";

/** Keeps automatic updates on for as long as policies ask for it. */
export interface AutomaticUpdatesKeeper {
  /** The policies that ask for it now; with none, what was done for them is undone. Until it is called, nothing is done. */
  ask(policies: readonly string[]): Promise<void>;
  /** The same checks, but the one of automatic updates looks after they were switched on, and says what kept them off. */
  checks(checks: readonly Check[]): readonly Check[];
}

export function automaticUpdatesKeeper({
  log,
  ...host
}: ChangedHost & { readonly log: Logger }): AutomaticUpdatesKeeper {
  let asking: readonly string[] | undefined;
  let undone = false;
  let said: Reached | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: a check that ran into its time-out may still be writing. */
  function afterLast<T>(act: () => Promise<T>): Promise<T> {
    const next = last.then(act);
    last = next;
    return next;
  }

  function say(reached: Reached, done: string, notDone: string): void {
    if (reached.kind === "Done" && reached.changed) log.info({ policies: asking }, done);
    if (reached.kind === "NotDone" && !isDeepStrictEqual(reached, said)) log.warn({ why: reached.reason }, notDone);
    said = reached;
  }

  async function undo(): Promise<void> {
    if (asking === undefined || asking.length > 0 || undone) return;
    const reached = await undoAutomaticUpdates(host);
    undone = reached.kind === "Done";
    say(reached, "automatic updates are as they were before", "automatic updates were not put back");
  }

  async function ensure(): Promise<Reached | undefined> {
    if (asking === undefined || asking.length === 0) return undefined;
    undone = false;
    const reached = await ensureAutomaticUpdates(host, asking);
    say(reached, "automatic updates switched on", "automatic updates were not switched on");
    return reached;
  }

  return {
    ask(policies) {
      asking = policies;
      return afterLast(undo);
    },
    checks: (checks) =>
      checks.map((check) =>
        check.name === AUTOMATIC_UPDATES_CHECK
          ? {
              ...check,
              async run(subject) {
                const reached = await afterLast(ensure);
                return withReason(await check.run(subject), reached);
              },
            }
          : check,
      ),
  };
}

/** A finding that stands though it was to be mended says why. */
function withReason(result: CheckResult, reached: Reached | undefined): CheckResult {
  if (result.status === "NotChecked" || reached?.kind !== "NotDone") return result;
  const { reason } = reached;
  const findings = result.findings.map((finding) => {
    if (finding.id !== "updates.automatic-off") return finding;
    const evidence = reason.startsWith(finding.evidence) ? reason : `${finding.evidence}; not switched on: ${reason}`;
    return { ...finding, evidence: clipped(evidence) };
  });
  return { ...result, findings };
}
