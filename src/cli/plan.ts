import { Command, Option } from "commander";
import type { CompileOptions } from "../plan/compile.ts";
import { DEFAULT_NODE_PORT_RANGE } from "../plan/node-port-range.ts";
import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import type { Labels } from "../plan/select.ts";
import type { PortRange } from "../plan/types.ts";
import { preview } from "../preview/preview.ts";
import type { Preview } from "../preview/types.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { type LoadedObjects, loadAnyObjects } from "./load-objects.ts";
import { nodeLabels } from "./node-labels.ts";
import { groupAddresses } from "./node-rules.ts";
import { nodePortRange, rootFolder, singleBit } from "./option-values.ts";
import type { PreviewInput } from "./preview-cluster.ts";
import { previewJson } from "./preview-json.ts";
import { previewText } from "./preview-text.ts";
import { compileProposal, type Proposal } from "./proposal.ts";

interface PlanFlags {
  readonly filename?: readonly string[];
  readonly delete?: readonly string[];
  readonly enforce?: true;
  readonly kubeconfig?: string;
  readonly host?: true;
  readonly node?: string;
  readonly nodeLabels: Labels;
  readonly stateDir: string;
  readonly sysctlDir: string;
  readonly hostRoot: string;
  readonly markBit: number;
  readonly serviceNodePortRange: PortRange;
  readonly settings?: string;
  readonly rules?: true;
  readonly json?: true;
}

const EXIT_CODES: Readonly<Record<Preview["outcome"], number>> = { NoChange: 0, Changes: 2, Cuts: 3 };

/** `porthardening plan`: what policies would change, and whom they would hit. */
export function planCommand(): Command {
  return new Command("plan")
    .description(
      "Says what policies would change on each node and whom they would hit: open connections, listeners, Services, host " +
        "ports, SSH sessions. Changes nothing. Asks the cluster, or with --host this machine. Exit code 0: no change, 1: could " +
        "not run, 2: changes, 3: changes that cut something in use.",
    )
    .option("-f, --filename <file>", "policies and address groups, again for each file; - is stdin", collect)
    .option("--delete <policy>", "as if this policy were deleted; again for each", collect)
    .option("--enforce", "as if the policies of the files had mode Enforce")
    .option("--kubeconfig <file>", "absent: $KUBECONFIG, ~/.kube/config, or the pod's service account")
    .option("--host", "ask this machine's kernel, not a cluster; needs root")
    .option("--node <name>", "this node of the cluster alone; with --host, the machine's name")
    .option("--node-labels <labels>", "with --host: its labels, key=value,...", nodeLabels, {})
    .addOption(
      asAgent("--state-dir <dir>", "where the agent keeps its state", "STATE_DIR").default("/var/lib/port-hardening"),
    )
    .addOption(asAgent("--sysctl-dir <dir>", "its sysctl.d", "SYSCTL_DIR").default("/etc/sysctl.d"))
    .addOption(asAgent("--host-root <folder>", "in a container: /host", "HOST_ROOT").argParser(rootFolder).default("/"))
    .addOption(
      asAgent("--mark-bit <bit>", "the mark bit that the agent was given", "MARK_BIT")
        .argParser(singleBit)
        .default(DEFAULT_MARK_BIT, "0x1000"),
    )
    .addOption(
      new Option("--service-node-port-range <range>", "as given to the controller and kube-apiserver")
        .argParser(nodePortRange)
        .default(DEFAULT_NODE_PORT_RANGE, "30000-32767"),
    )
    .addOption(settingsOption())
    .option("--rules", "print what changes rule by rule")
    .option("--json", "print JSON")
    .action(async (flags: PlanFlags) => {
      const { filename = [], delete: deleted = [] } = flags;
      if (filename.length + deleted.length === 0) {
        throw new Error("say what is proposed: -f policy.yaml, or --delete POLICY");
      }
      const install = await readInstallSettings(flags.settings);
      const compile = { allowedSysctls: install.allowedSysctls, nodePortRange: flags.serviceNodePortRange };
      const objects = await loadAnyObjects(filename);
      const proposal = proposalOf(objects, deleted, flags.enforce === true, compile);
      const groups = objects.groups.map(groupAddresses);
      const settings = { ...install.node, markBit: flags.markBit };
      const input = flags.host
        ? await askHost(flags, proposal, groups, settings)
        : await askCluster(flags, proposal, groups, { settings, compile });
      const found = preview(input.nodes, input.world);
      const shown = { rules: flags.rules === true, notes: input.notes };
      process.stdout.write(flags.json ? previewJson(found, shown) : previewText(found, shown));
      process.exitCode = EXIT_CODES[found.outcome];
    });
}

function collect(item: string, before: readonly string[] = []): readonly string[] {
  return [...before, item];
}

/** In the agent's own container these are set. */
function asAgent(flag: string, description: string, variable: string): Option {
  return new Option(flag, `with --host: ${description}`).env(variable);
}

function proposalOf(
  { policies }: LoadedObjects,
  deleted: readonly string[],
  enforce: boolean,
  options: CompileOptions,
): Proposal {
  const both = policies.find(({ metadata }) => deleted.includes(metadata.name));
  if (both !== undefined) throw new Error(`policy ${both.metadata.name} is in a file and in --delete`);
  const meant = policies.map((policy) =>
    enforce ? { ...policy, spec: { ...policy.spec, mode: "Enforce" as const } } : policy,
  );
  return compileProposal(meant, deleted, options);
}

type Groups = readonly ReturnType<typeof groupAddresses>[];
type Settings = PreviewInput["world"]["settings"];

async function askCluster(
  { kubeconfig, node }: PlanFlags,
  proposal: Proposal,
  groups: Groups,
  options: { readonly settings: Settings; readonly compile: CompileOptions },
): Promise<PreviewInput> {
  const [{ clusterView }, { clusterInput }, { kubeClient }, { loadKubeConfig }] = await Promise.all([
    import("./cluster-view.ts"),
    import("./preview-cluster.ts"),
    import("../kube/client.ts"),
    import("../kube/kube-config.ts"),
  ]);
  const client = kubeClient(loadKubeConfig(kubeconfig));
  try {
    return clusterInput(await clusterView(client), proposal, groups, { ...options, only: node });
  } finally {
    await client.close();
  }
}

async function askHost(
  { node, nodeLabels: labels, stateDir, sysctlDir, hostRoot, markBit }: PlanFlags,
  proposal: Proposal,
  groups: Groups,
  installed: Settings,
): Promise<PreviewInput> {
  const [{ hostInput }, { withWhatTheHostShows }, { linuxKernel }, { localHost }, { localHostView }, { socketReader }] =
    await Promise.all([
      import("./preview-host.ts"),
      import("./found-settings.ts"),
      import("../kernel/linux-kernel.ts"),
      import("../kernel/local-host.ts"),
      import("../kernel/local-host-view.ts"),
      import("../kernel/socket-reader.ts"),
    ]);
  const readers = {
    kernel: linuxKernel({ host: localHost(), stateDir, sysctlDir, markBit }),
    host: localHostView({ root: hostRoot }),
    sockets: socketReader(),
  };
  const settings = await withWhatTheHostShows(installed, { stateDir, hostRoot, remember: false });
  return hostInput(proposal, groups, { name: node, labels, stateDir, settings, readers });
}
