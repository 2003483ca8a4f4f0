import { Command } from "commander";
import { disengageFile } from "../agent/disengage-file.ts";
import { type NodePaths, withNodePaths } from "./node-paths.ts";

/** `porthardening engage`: gives a node back that was disengaged. */
export function engageCommand(): Command {
  return withNodePaths(new Command("engage"))
    .description(
      "Gives this node back after porthardening disengage: its agent enforces what is assigned, within a second or two.",
    )
    .action(async ({ stateDir }: NodePaths) => {
      const was = await disengageFile(stateDir).engage();
      process.stdout.write(was ? "engaged: the agent enforces again\n" : "it was engaged; nothing to do\n");
    });
}
