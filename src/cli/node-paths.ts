import { type Command, Option } from "commander";
import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import { rootFolder, singleBit } from "./option-values.ts";

/** Where an agent keeps its things: what is run in its container finds them by its environment. */
export interface NodePaths {
  readonly stateDir: string;
  readonly sysctlDir: string;
  readonly hostRoot: string;
  readonly markBit: number;
}

export function withNodePaths(command: Command): Command {
  return command
    .addOption(
      new Option("--state-dir <dir>", "where the agent keeps its state")
        .env("STATE_DIR")
        .default("/var/lib/port-hardening"),
    )
    .addOption(new Option("--sysctl-dir <dir>", "the node's sysctl.d").env("SYSCTL_DIR").default("/etc/sysctl.d"))
    .addOption(
      new Option("--host-root <folder>", "where the host's root is, in a container: /host")
        .env("HOST_ROOT")
        .argParser(rootFolder)
        .default("/"),
    )
    .addOption(
      new Option("--mark-bit <bit>", "the mark bit that the agent was given")
        .env("MARK_BIT")
        .argParser(singleBit)
        .default(DEFAULT_MARK_BIT, "0x1000"),
    );
}
