import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { disengageFile } from "../agent/disengage-file.ts";
import { statePaths } from "../agent/state-directory.ts";
import { withdrawArmed } from "../agent/withdraw-armed.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { NO_RULES } from "../kernel/no-rules.ts";
import { type NodePaths, withNodePaths } from "./node-paths.ts";

/** An agent that runs looks each second; one that is in the middle of an apply ends that first. */
const DEADLINE_MILLISECONDS = 30_000;
/** Twice in a row, so far apart, nothing is there: an agent that does not know of this would have put it back. */
const LOOK_AGAIN_MILLISECONDS = 3_000;

/** `porthardening disengage`: takes the node out of our hands, until `porthardening engage`. */
export function disengageCommand(): Command {
  return withNodePaths(new Command("disengage"))
    .description(
      "Takes this node out of the operator's hands: chains, sets and sysctls go at once (originals come back), and no agent " +
        "puts them back, after restarts and reboots neither, until porthardening engage. Status says so. Needs root, and " +
        "neither the API server nor a living agent. Exit code 0: nothing is enforced any more.",
    )
    .option("--reason <text>", "why, for the status", "")
    .action(async ({ stateDir, sysctlDir, markBit, reason }: NodePaths & { readonly reason: string }) => {
      const failures: string[] = [];
      // First, or an agent that runs would put back what goes. But a full disk must not keep anybody locked out.
      await disengageFile(stateDir)
        .disengage(reason)
        .catch((error: Error) => failures.push(`it will not hold over a restart of the agent: ${error.message}`));
      // Or the guard would put back what was there before a change that is still to be confirmed.
      const { guard } = statePaths(stateDir);
      await withdrawArmed(guard).catch((error: Error) =>
        failures.push(`a guard may bring rules back: ${error.message}`),
      );
      const kernel = linuxKernel({ host: localHost(), stateDir, sysctlDir, markBit });
      const left = await clearUntilGone(kernel, guard);
      if (left !== undefined) failures.unshift(left);
      if (failures.length > 0) throw new Error(failures.join("; "));
      process.stdout.write("nothing is enforced on this node any more; porthardening engage takes it back\n");
    });
}

/**
 * What is left in the end, and why. An agent may be clearing the same node, so one of the two may fail on the way; a guard that
 * had begun to roll back is waited for.
 */
async function clearUntilGone(kernel: Pick<Kernel, "clear" | "verify">, guard: string): Promise<string | undefined> {
  const deadline = performance.now() + DEADLINE_MILLISECONDS;
  let why = "";
  for (;;) {
    try {
      await kernel.clear();
      await sleep(LOOK_AGAIN_MILLISECONDS);
      const there = await kernel.verify(NO_RULES, "Headers");
      const rollsBack = existsSync(join(guard, "rolling-back"));
      // One that was killed in the middle of it does no more than we do when it is back: it sees that file.
      if (there.length === 0 && (!rollsBack || performance.now() > deadline)) return undefined;
      why = rollsBack
        ? "the guard is rolling back"
        : `still there: ${there.slice(0, 5).join(", ")}; stop the agent if it is of an older version`;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      await sleep(LOOK_AGAIN_MILLISECONDS);
    }
    if (performance.now() > deadline) return why;
  }
}
