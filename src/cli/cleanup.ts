import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { undoAutomaticUpdates } from "../agent/automatic-updates.ts";
import { stateDirectory } from "../agent/state-directory.ts";
import { hostChanger } from "../kernel/host-changer.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { NO_RULES } from "../kernel/no-rules.ts";
import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import { rootFolder, singleBit } from "./option-values.ts";

interface CleanupFlags {
  readonly stateDir: string;
  readonly sysctlDir: string;
  readonly hostRoot: string;
  readonly markBit: number;
}

/** An agent that runs puts back what is removed: by an event within milliseconds, else when it next looks. */
const LOOK_AGAIN_MILLISECONDS = 3_000;

/** `porthardening cleanup`: takes everything of ours off this node. Needs no API server. */
export function cleanupCommand(): Command {
  return new Command("cleanup")
    .description(
      "Removes all that agents wrote on this node: chains, sets, sysctls (their originals come back), files. Needs root and no " +
        "cluster; nothing of others is touched. Stop the agent before. Exit code 0: nothing is left.",
    )
    .option("--state-dir <dir>", "where the agent kept its state", "/var/lib/port-hardening")
    .option("--sysctl-dir <dir>", "the node's sysctl.d", "/etc/sysctl.d")
    .option("--host-root <folder>", "where the host's root is, in a container: /host", rootFolder, "/")
    .option("--mark-bit <bit>", "the mark bit that the agent was given", singleBit, DEFAULT_MARK_BIT)
    .action(async ({ stateDir, sysctlDir, hostRoot: root, markBit }: CleanupFlags) => {
      const kernel = linuxKernel({ host: localHost(), stateDir, sysctlDir, markBit });
      const directory = stateDirectory(stateDir);
      // Where an agent puts back what is removed, removing the rest fails: what is left in the end says more.
      const failure = await kernel.clear().then(
        () => undefined,
        (error: unknown) => error,
      );
      // What is on disk would be enforced again by the next agent that starts without an API server.
      await directory.forget();
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
      process.stdout.write("nothing of port-hardening is left on this node\n");
    });
}
