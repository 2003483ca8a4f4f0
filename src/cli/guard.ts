import { join } from "node:path";
import { Command, Option } from "commander";
import { execa } from "execa";
import { guardScript } from "./guard-script.ts";

/** `porthardening guard`. As it is installed, `porthardening` runs the script in its own place: a shell takes 2 MiB. */
export function guardCommand(): Command {
  return new Command("guard")
    .description(
      "Puts this node back where no agent confirms a change in time. Runs beside the agent, which applies nothing without it. " +
        "Needs root in the node's network namespace, and no cluster.",
    )
    .addOption(new Option("--state-dir <dir>", "the agent's").env("STATE_DIR").default("/var/lib/port-hardening"))
    .action(async ({ stateDir }: { readonly stateDir: string }) => {
      await execa("sh", [guardScript(), join(stateDir, "guard")], { stdio: "inherit" });
    });
}
