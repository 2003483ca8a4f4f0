import { Command } from "commander";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { lintObjects } from "./lint-objects.ts";
import { readManifests } from "./manifest-files.ts";
import { type Finding, formatFinding, parseObjects } from "./objects.ts";

/**
 * `porthardening lint`: everything that is wrong with policies and groups at once. Exit code 0: admission would take all and
 * nodes could, there may be warnings; 1: there are errors, a file cannot be read, or the command line is wrong.
 */
export function lintCommand(): Command {
  return new Command("lint")
    .description(
      "Says what admission would refuse or no node could do (errors), and what of a policy would have no effect (warnings). Needs no cluster. " +
        "Exit code 0: no errors; 1: errors.",
    )
    .requiredOption("-f, --filename <files...>", "policies, address groups, Nodes; - is stdin")
    .addOption(settingsOption())
    .action(async ({ filename, settings }: { readonly filename: readonly string[]; readonly settings?: string }) => {
      const install = await readInstallSettings(settings);
      const { manifests, problems } = await readManifests(filename);
      const objects = parseObjects(manifests);
      const unreadable = problems.map((problem): Finding => ({ severity: "error", subject: "", path: "", ...problem }));
      const findings = [...unreadable, ...lintObjects(objects, install)];
      const errors = findings.filter(({ severity }) => severity === "error").length;
      for (const finding of findings) process.stdout.write(`${formatFinding(finding)}\n`);
      const read = `${counted(objects.policies.length, "policy", "policies")} and ${counted(objects.groups.length, "address group")}`;
      const found = `${counted(errors, "error")}, ${counted(findings.length - errors, "warning")}`;
      process.stdout.write(`${read} valid; ${found}\n`);
      if (errors > 0) process.exitCode = 1;
    });
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
