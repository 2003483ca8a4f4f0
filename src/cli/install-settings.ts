import { readFile } from "node:fs/promises";
import { Option } from "commander";
import { parse } from "yaml";
import { type InstallSettings, parseInstallSettings } from "../plan/install-settings.ts";

/** The same file for all sub-commands: what is worked out offline must be what an agent does. */
export function settingsOption(): Option {
  return new Option(
    "--settings <file>",
    "settings of the install, YAML: allowed sysctls, failsafes, pod interfaces",
  ).env("SETTINGS");
}

/** Reads the file of `--settings`, YAML or JSON; without one the defaults hold. Throws naming the file and the way out. */
export async function readInstallSettings(file: string | undefined): Promise<InstallSettings> {
  if (file === undefined) return parseInstallSettings(undefined);
  try {
    return parseInstallSettings(parse(await readFile(file, "utf8"), { version: "1.1" }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${file}: ${why}; mend the file, or leave --settings away for the defaults`, { cause: error });
  }
}
