import { Command, Option } from "commander";
import { agent } from "../agent/agent.ts";
import { guardFolder } from "../agent/guard-folder.ts";
import { placeOf } from "../agent/node-destinations.ts";
import { statePaths } from "../agent/state-directory.ts";
import { kubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/kube-config.ts";
import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import { type AgentFlags, nodeParts, serve } from "./agent-parts.ts";
import { runGuardOnce } from "./guard-script.ts";
import { settingsOption } from "./install-settings.ts";
import { nodeLabels } from "./node-labels.ts";
import { logLevel, nonEmpty, rootFolder, singleBit, wholeNumber } from "./option-values.ts";

/** `porthardening agent`: enforces on this node what its NodeState says. Needs root in the node's network namespace. */
export function agentCommand(): Command {
  const command: Command = new Command("agent")
    .description(
      "Enforces on this node what its PortHardeningNodeState says, and reports what was measured. With --policies, what the files " +
        "of a folder say, on a host without a cluster.",
    )
    .option("--policies <folder>", "policies and address groups as files; needs no API server")
    .option("--node-labels <labels>", "with --policies: labels of this host, key=value,...", nodeLabels, {})
    .addOption(option("--node-name <name>", "name of this node's Node object", "NODE_NAME").argParser(nonEmpty))
    .addOption(option("--namespace <name>", "namespace of the Leases", "POD_NAMESPACE").default("port-hardening"))
    .option("--kubeconfig <file>", "absent: $KUBECONFIG, ~/.kube/config, or the pod's service account")
    .addOption(option("--state-dir <dir>", "survives reboots", "STATE_DIR").default("/var/lib/port-hardening"))
    .addOption(option("--sysctl-dir <dir>", "the node's sysctl.d", "SYSCTL_DIR").default("/etc/sysctl.d"))
    .addOption(
      option(
        "--host-root <folder>",
        "where audits find the host's root, and switch its updates on; in a container: /host, /proc/1/root",
        "HOST_ROOT",
      )
        .argParser(rootFolder)
        .default("/"),
    )
    .addOption(
      option("--prime-seconds <n>", "how long conntrack learns before the first enforcement", "PRIME_SECONDS")
        .argParser(wholeNumber(0, 3600))
        .default(30),
    )
    .addOption(
      option("--mark-bit <bit>", "the one bit of packets' marks that is ours to set", "MARK_BIT")
        .argParser(singleBit)
        .default(DEFAULT_MARK_BIT, "0x1000"),
    )
    .addOption(settingsOption())
    .addOption(
      // The agent is in the node's own network: on any other address, metrics would be open to whoever reaches the node.
      option("--health-host <ip>", "address of /healthz, /readyz and /metrics", "HEALTH_HOST").default("127.0.0.1"),
    )
    .addOption(
      option("--health-port <n>", "their port; 0 serves none", "HEALTH_PORT")
        .argParser(wholeNumber(0, 65535))
        .default(9471),
    )
    .addOption(
      option("--log-level <level>", "least level that is logged", "LOG_LEVEL").argParser(logLevel).default("info"),
    );
  return command.action(async (flags: AgentFlags) => {
    const { nodeName, policies } = flags;
    if (policies !== undefined) return (await import("./host-agent.ts")).runHostAgent({ ...flags, policies });
    if (nodeName === undefined) {
      command.error("error: the node's name is missing: give --node-name, or set NODE_NAME (fieldRef: spec.nodeName)");
    }
    await runAgent({ ...flags, nodeName });
  });
}

function option(flag: string, description: string, variable: string): Option {
  return new Option(flag, description).env(variable);
}

function readKubeConfig(file: string | undefined): ReturnType<typeof loadKubeConfig> {
  try {
    return loadKubeConfig(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`no way to the API server: ${why}; give a readable file with --kubeconfig`, { cause: error });
  }
}

async function runAgent(flags: AgentFlags & { readonly nodeName: string }): Promise<void> {
  const parts = await nodeParts(flags);
  const kubeConfig = readKubeConfig(flags.kubeconfig);
  const apiServer = kubeConfig.getCurrentCluster()?.server;
  const client = kubeClient(kubeConfig, { userAgent: `port-hardening-agent/${parts.version}` });
  const { guard: path, last: lastFile } = statePaths(flags.stateDir);
  const running = agent({
    ...parts,
    nodeName: flags.nodeName,
    namespace: flags.namespace,
    client,
    guard: guardFolder({ path, lastFile, runOnce: () => runGuardOnce(path) }),
    probes: parts.probesWith(apiServer === undefined ? undefined : placeOf(apiServer)),
    apiServer,
  });
  await serve(running, flags, parts).finally(() => client.close());
}
