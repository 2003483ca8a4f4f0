import { Command } from "commander";
import type { Labels } from "../plan/select.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeLabels } from "./node-labels.ts";
import { nodeRules } from "./node-rules.ts";
import { restoreText } from "./restore-text.ts";

interface RenderFlags {
  readonly filename: readonly string[];
  readonly node: string;
  readonly nodeLabels: Labels;
  readonly json?: true;
}

/** `porthardening render`: the exact rules, sets and sysctls of a node. Needs neither a cluster nor a node. */
export function renderCommand(): Command {
  return new Command("render")
    .description("Prints the exact rules, sets and sysctls that a node would get. Changes nothing; needs no cluster.")
    .requiredOption("-f, --filename <files...>", "policies and address groups as YAML or JSON; - is stdin")
    .option("--node <name>", "name of the node", "node")
    .option("--node-labels <labels>", "its labels, key=value,...", nodeLabels, {})
    .option("--json", "print JSON")
    .action(async ({ filename, node, nodeLabels: labels, json }: RenderFlags) => {
      const { policies, groups } = await loadObjects(filename);
      const { ruleSet, notes } = nodeRules(policies, groups, { name: node, labels });
      for (const note of notes) process.stderr.write(`note: ${note}\n`);
      process.stdout.write(json ? `${JSON.stringify(ruleSet, undefined, 2)}\n` : restoreText(ruleSet));
    });
}
