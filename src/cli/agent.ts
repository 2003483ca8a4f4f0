import { lookup } from "node:dns/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { agent } from "../agent/agent.ts";
import { disengageFile } from "../agent/disengage-file.ts";
import { foundFile } from "../agent/found-file.ts";
import { guardFolder } from "../agent/guard-folder.ts";
import { placeOf } from "../agent/node-destinations.ts";
import { stateDirectory, statePaths } from "../agent/state-directory.ts";
import { hostChanger } from "../kernel/host-changer.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { nodeProbes } from "../kernel/node-probes.ts";
import { socketReader } from "../kernel/socket-reader.ts";
import { sysctlInNetwork } from "../kernel/sysctl-in-network.ts";
import { kubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/kube-config.ts";
import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import { startHealthServer } from "../telemetry/health-server.ts";
import { createLogger, type LogLevel } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/registry.ts";
import { runGuardOnce } from "./guard-script.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { logLevel, nonEmpty, rootFolder, singleBit, wholeNumber } from "./option-values.ts";
import { programVersion } from "./program-version.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

interface AgentFlags {
  readonly nodeName?: string;
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly stateDir: string;
  readonly sysctlDir: string;
  readonly hostRoot: string;
  readonly primeSeconds: number;
  readonly markBit: number;
  readonly settings?: string;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: LogLevel;
}

/** `porthardening agent`: enforces on this node what its NodeState says. Needs root in the node's network namespace. */
export function agentCommand(): Command {
  const command: Command = new Command("agent")
    .description("Enforces on this node what its PortHardeningNodeState says, and reports what was measured.")
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
    const { nodeName } = flags;
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
  const { markBit } = flags;
  const version = programVersion();
  const install = await readInstallSettings(flags.settings);
  const log = createLogger({ name: "agent", level: flags.logLevel });
  const registry = createRegistry({ component: "agent", version });
  const kubeConfig = readKubeConfig(flags.kubeconfig);
  const apiServer = kubeConfig.getCurrentCluster()?.server;
  const probed = apiServer === undefined ? undefined : placeOf(apiServer);
  const resolverFiles = ["run/systemd/resolve/resolv.conf", "etc/resolv.conf"].map((path) =>
    join(flags.hostRoot, path),
  );
  const paths = statePaths(flags.stateDir);
  const client = kubeClient(kubeConfig, { userAgent: `port-hardening-agent/${version}` });
  const { notReady, collect, run } = agent({
    nodeName: flags.nodeName,
    namespace: flags.namespace,
    client,
    kernel: linuxKernel({ host: localHost(), stateDir: flags.stateDir, sysctlDir: flags.sysctlDir, markBit }),
    directory: stateDirectory(flags.stateDir),
    disengageFile: disengageFile(flags.stateDir),
    foundFile: foundFile(flags.stateDir, localHost()),
    guard: guardFolder({ path: paths.guard, lastFile: paths.last, runOnce: () => runGuardOnce(paths.guard) }),
    probes: () => nodeProbes({ host: localHost(), apiServer: probed, resolverFiles }),
    host: localHostView({ root: flags.hostRoot }),
    changer: hostChanger({ root: flags.hostRoot, host: localHost() }),
    sockets: socketReader(),
    sysctlIn: sysctlInNetwork(localHost(), flags.hostRoot),
    apiServer,
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    settings: { ...install.node, markBit },
    version,
    primeMilliseconds: flags.primeSeconds * 1000,
    registry,
    log,
  });
  const { healthHost: host, healthPort: port } = flags;
  const health =
    port === 0
      ? undefined
      : await startHealthServer({ host, port, ready: notReady, registry, collect }).catch((cause: Error) => {
          throw new Error(`${cause.message}; choose another address with --health-host and --health-port`, { cause });
        });
  log.info({ version, node: flags.nodeName, healthPort: health?.port }, "agent started");
  try {
    await runUntilStopped(run, log);
  } finally {
    await Promise.all([health?.close(), client.close()]);
  }
}
