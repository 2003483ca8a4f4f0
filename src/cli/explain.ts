import { Command } from "commander";
import type { NodeFacts } from "../controller/node-facts.ts";
import type { Labels } from "../plan/select.ts";
import type { ClusterObjects } from "./cluster-objects.ts";
import { explain, explanationJson, explanationText } from "./explanation.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeIdentity, nodeLabels } from "./node-labels.ts";
import { nodeRules } from "./node-rules.ts";
import { parsePacket } from "./packet-text.ts";

interface ExplainFlags {
  readonly filename?: readonly string[];
  readonly kubeconfig?: string;
  readonly node?: string;
  readonly nodeLabels: Labels;
  readonly settings?: string;
  readonly json?: true;
}

/** `porthardening explain`: what becomes of one packet, by which policy, entry and rule. */
export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "Says whether a packet that opens a connection to or from a node passes, and by which policy, entry and rule.",
    )
    .argument(
      "<packet>",
      "such as 'tcp 203.0.113.9 -> :8443 in eth0' (:PORT is the node itself) or 'udp -> 203.0.113.9:5000 out eth0'",
    )
    .option("-f, --filename <file>", "policies, address groups or Nodes, again for each file; - is stdin", collect)
    .option("--kubeconfig <file>", "read policies, address groups and the node's labels from this cluster instead")
    .option("--node <name>", "name of the node")
    .option(
      "--node-labels <labels>",
      "its labels, key=value,...; with --kubeconfig, or its Node object, they are read",
      nodeLabels,
      {},
    )
    .addOption(settingsOption())
    .option("--json", "print JSON")
    .action(async (text: string, flags: ExplainFlags) => {
      const packet = parsePacket(text);
      const { policies, groups, node, nodes } = await objectsOf(flags);
      const { plan, ruleSet, notes } = nodeRules(
        policies,
        groups,
        node,
        nodes,
        await readInstallSettings(flags.settings),
      );
      const explained = explain(packet, plan, ruleSet);
      const all = { ...explained, notes: [...explained.notes, ...notes] };
      process.stdout.write(flags.json ? explanationJson(all) : explanationText(all));
    });
}

/** Not variadic: that would swallow the packet. */
function collect(file: string, before: readonly string[] = []): readonly string[] {
  return [...before, file];
}

interface ExplainedObjects extends ClusterObjects {
  readonly nodes?: readonly NodeFacts[];
}

async function objectsOf(flags: ExplainFlags): Promise<ExplainedObjects> {
  const { filename, kubeconfig, node, nodeLabels: labels } = flags;
  if ((filename === undefined) === (kubeconfig === undefined)) {
    throw new Error("give either files (-f policy.yaml) or a cluster (--kubeconfig FILE --node NAME)");
  }
  if (filename !== undefined) {
    const objects = await loadObjects(filename);
    return { ...objects, node: nodeIdentity(node ?? "node", labels, objects.nodes) };
  }
  if (node === undefined) throw new Error("say which node of the cluster is meant: --node NAME");
  const [{ clusterObjects }, { kubeClient }, { loadKubeConfig }] = await Promise.all([
    import("./cluster-objects.ts"),
    import("../kube/client.ts"),
    import("../kube/kube-config.ts"),
  ]);
  const client = kubeClient(loadKubeConfig(kubeconfig));
  try {
    return await clusterObjects(client, node);
  } finally {
    await client.close();
  }
}
