import { RETRY_ANNOTATION } from "../api/rollout.ts";
import type { RolloutDecision } from "./rollout.ts";
import type { PolicyRollout } from "./rollout-progress.ts";
import { countNodes, nameNodes } from "./verdict.ts";

/** What a roll-out that does not go on by itself says, for the conditions; `stalled`: somebody has to act. */
export interface RolloutVerdict {
  readonly reason: "RolloutHalted" | "RolloutPaused" | "NoCanary" | "ProgressDeadlineExceeded";
  readonly stalled: boolean;
  readonly message: string;
}

/** undefined: it goes on, or is over. `overdue`: it has not come forward for progressDeadlineSeconds. */
export function judgeRollout({ decision, settings }: PolicyRollout, overdue: boolean): RolloutVerdict | undefined {
  const { phase, pending, failed } = decision;
  const left = `${countNodes(pending)} ${pending === 1 ? "is left as it was" : "are left as they were"}`;
  switch (phase) {
    case "Halted": {
      if (pending === 0) return undefined;
      const message = `The roll-out has halted, as it failed on ${named(failed)}; ${left}. To go on, edit the policy, or mend the node and annotate the policy with another ${RETRY_ANNOTATION}.`;
      return { reason: "RolloutHalted", stalled: true, message };
    }
    case "Paused":
      return {
        reason: "RolloutPaused",
        stalled: false,
        message: `The roll-out is paused (spec.rollout.paused); ${left}.`,
      };
    case "Blocked": {
      const message = `No selected node has the labels that spec.rollout.canary.nodeSelector asks for; ${left}. Label one, or change the selector.`;
      return { reason: "NoCanary", stalled: true, message };
    }
    case "Canary":
    case "Progressing":
      if (!overdue) return undefined;
      return {
        reason: "ProgressDeadlineExceeded",
        stalled: true,
        message: overdueMessage(decision, settings.progressDeadlineSeconds),
      };
    case "Complete":
      return undefined;
  }
}

function overdueMessage({ waitingFor, pending, enforced, total }: RolloutDecision, seconds: number): string {
  const behind = pending === 0 ? "" : `; ${countNodes(pending)} behind`;
  const begin = `In ${seconds} s no further node came to enforce it (${enforced} of ${total} do${behind}).`;
  if (waitingFor.length === 0) return `${begin} The nodes that are next are not ready or not heard of.`;
  const away = waitingFor.filter(({ alive }) => !alive);
  const lost =
    away.length === 0
      ? ""
      : ` Not ready or not heard of since they were handed it: ${named(away)}; see whether that is the policy's work, and delete the Node where it will not be back.`;
  return `${begin} It waits for ${named(waitingFor)}.${lost}`;
}

function named(nodes: RolloutDecision["waitingFor"]): string {
  return nameNodes(nodes.map(({ name }) => ({ node: name })));
}
