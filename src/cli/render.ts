import { Command } from "commander";
import type { NodePlan } from "../plan/node-plan.ts";
import { LOCAL_PORT_RANGE } from "../plan/port-sysctls.ts";
import type { Labels } from "../plan/select.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeIdentity, nodeLabels } from "./node-labels.ts";
import { nodeRules } from "./node-rules.ts";
import { restoreText } from "./restore-text.ts";

interface RenderFlags {
  readonly filename: readonly string[];
  readonly node: string;
  readonly nodeLabels: Labels;
  readonly settings?: string;
  readonly json?: true;
}

/** `porthardening render`: the exact rules, sets and sysctls of a node. Needs neither a cluster nor a node. */
export function renderCommand(): Command {
  return new Command("render")
    .description("Prints the exact rules, sets and sysctls that a node would get. Changes nothing; needs no cluster.")
    .requiredOption("-f, --filename <files...>", "policies, address groups, Nodes; - is stdin")
    .option("--node <name>", "name of the node", "node")
    .option(
      "--node-labels <labels>",
      "its labels, key=value,...; those of its Node object if it is given",
      nodeLabels,
      {},
    )
    .addOption(settingsOption())
    .option("--json", "print JSON")
    .action(async ({ filename, node, nodeLabels: labels, settings, json }: RenderFlags) => {
      const { policies, groups, nodes } = await loadObjects(filename);
      const { ruleSet, notes, plan } = nodeRules(
        policies,
        groups,
        nodeIdentity(node, labels, nodes),
        nodes,
        await readInstallSettings(settings),
      );
      for (const note of [...notes, ...podNotes(plan)]) process.stderr.write(`note: ${note}\n`);
      process.stdout.write(json ? `${JSON.stringify(ruleSet, undefined, 2)}\n` : restoreText(ruleSet));
    });
}

/** The same on every node, and by admission, not by the agent: no line of a node's rules. */
function podNotes({ ephemeralPorts: { podRange } }: NodePlan): readonly string[] {
  if (podRange === undefined) return [];
  const { policy, from, to } = podRange;
  return [`new pods get ${LOCAL_PORT_RANGE} = ${from} ${to} (policy ${policy})`];
}
