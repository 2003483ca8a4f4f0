import { isDeepStrictEqual } from "node:util";
import { sleep } from "../kube/sleep.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PolicyRevision } from "./assigned-policies.ts";
import type { DisengageFile, Disengagement } from "./disengage-file.ts";
import type { NodeProblem, PolicyOutcome } from "./node-status.ts";
import { messageOf } from "./outcomes.ts";

/** Whether a person on the node has switched us off: then nothing is enforced, whatever is assigned. */
export interface Disengaged {
  readonly current: Disengagement | undefined;
  /** It was, at some time of this process. */
  readonly ever: boolean;
  /** Looks anew. True where the node came back into our hands. Never throws. */
  look(): Promise<boolean>;
  /** Calls `onChange` within a second of each change, until `signal` aborts. */
  watch(onChange: () => void, signal: AbortSignal): Promise<void>;
}

const LOOK_MILLISECONDS = 1_000;

/** What cannot be seen is as it was. */
export function disengaged(file: DisengageFile, log: Logger): Disengaged {
  let current: Disengagement | undefined;
  let ever = false;
  let failing = false;

  async function read(): Promise<Disengagement | undefined> {
    try {
      const seen = await file.read();
      failing = false;
      return seen;
    } catch (err) {
      if (!failing) log.error({ err }, "whether somebody has disengaged this node cannot be seen");
      failing = true;
      return current;
    }
  }

  return {
    get current() {
      return current;
    },
    get ever() {
      return ever;
    },
    async look() {
      const before = current;
      current = await read();
      ever ||= current !== undefined;
      if (before === undefined && current !== undefined) log.warn({ why: current.why }, "disengaged by a person");
      const back = before !== undefined && current === undefined;
      if (back) log.info("engaged again");
      return back;
    },
    async watch(onChange, signal) {
      while (!signal.aborted) {
        if (!isDeepStrictEqual(await read(), current)) onChange();
        await sleep(LOOK_MILLISECONDS, signal);
      }
    },
  };
}

/** `failure`: what could not be removed. */
export function disengagedOutcomes(
  revisions: readonly PolicyRevision[],
  { since, why }: Disengagement,
  failure: unknown,
): Pick<PolicyOutcome, keyof PolicyRevision | "state" | "reason" | "message">[] {
  const left = failure === undefined ? "" : `; not all of it could be removed: ${messageOf(failure)}`;
  const message = `${wordsOf(since, why)}: nothing is enforced until porthardening engage is run there${left}`;
  return revisions.map((revision) => ({ ...revision, state: "NotEnforceable", reason: "Disengaged", message }));
}

export function disengagedProblem({ since, why }: Disengagement): NodeProblem {
  return { type: "Disengaged", reason: "ByHand", message: wordsOf(since, why) };
}

function wordsOf(since: number, why: string): string {
  const said = why === "" ? "" : ` (${why})`;
  return `a person on the node disengaged it at ${new Date(since).toISOString()}${said}`;
}
