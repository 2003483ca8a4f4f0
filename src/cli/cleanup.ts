import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { undoAutomaticUpdates } from "../agent/automatic-updates.ts";
import { disengageFile } from "../agent/disengage-file.ts";
import { foundFile } from "../agent/found-file.ts";
import { stateDirectory } from "../agent/state-directory.ts";
import { hostChanger } from "../kernel/host-changer.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { NO_RULES } from "../kernel/no-rules.ts";
import { type NodePaths, withNodePaths } from "./node-paths.ts";

/** An agent that runs puts back what is removed: by an event within milliseconds, else when it next looks. */
const LOOK_AGAIN_MILLISECONDS = 3_000;

/** `porthardening cleanup`: takes everything of ours off this node. Needs no API server. */
export function cleanupCommand(): Command {
  return withNodePaths(new Command("cleanup"))
    .description(
      "Removes all that agents wrote on this node: chains, sets, sysctls (their originals come back), files. Needs root and no " +
        "cluster; nothing of others is touched. Stop the agent before. Exit code 0: nothing is left.",
    )
    .action(async ({ stateDir, sysctlDir, hostRoot: root, markBit }: NodePaths) => {
      const kernel = linuxKernel({ host: localHost(), stateDir, sysctlDir, markBit });
      const directory = stateDirectory(stateDir);
      // Where an agent puts back what is removed, removing the rest fails: what is left in the end says more.
      const failure = await kernel.clear().then(
        () => undefined,
        (error: unknown) => error,
      );
      // What is on disk would be enforced again by the next agent that starts without an API server.
      await directory.forget();
      await foundFile(stateDir, localHost()).forget();
      const changer = hostChanger({ root, host: localHost() });
      const undone = await undoAutomaticUpdates({ host: localHostView({ root }), changer });
      await sleep(LOOK_AGAIN_MILLISECONDS);
      const left = await kernel.verify(NO_RULES, "Headers");
      if (left.length > 0) {
        const why = failure instanceof Error ? ` (${failure.message})` : "";
        throw new Error(
          `still there: ${left.slice(0, 5).join(", ")}${why}; stop the agent, which would put them back, and run cleanup again`,
        );
      }
      if (failure !== undefined) throw failure;
      if (undone.kind === "NotDone") throw new Error(`automatic updates were not put back: ${undone.reason}`);
      // Not before: an agent that runs against all advice would take it as being engaged.
      await disengageFile(stateDir).engage();
      process.stdout.write("nothing of port-hardening is left on this node\n");
    });
}
