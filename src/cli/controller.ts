import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command, Option } from "commander";
import { runController } from "../controller/run-controller.ts";
import { DEFAULT_CONTROLLER_SETTINGS } from "../controller/settings.ts";
import { kubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/kube-config.ts";
import { DEFAULT_NODE_PORT_RANGE } from "../plan/node-port-range.ts";
import type { PortRange } from "../plan/types.ts";
import { createLogger, type LogLevel } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/registry.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { logLevel, nodePortRange, nonEmpty, wholeNumber } from "./option-values.ts";
import { programVersion } from "./program-version.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

interface ControllerFlags {
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly serviceNodePortRange: PortRange;
  readonly podRangeName: string;
  readonly settings?: string;
  readonly leaderElect: boolean;
  readonly leaderElectLeaseDuration: number;
  readonly logLevel: LogLevel;
}

/** `porthardening controller`: several may run, one leads. */
export function controllerCommand(): Command {
  return new Command("controller")
    .description(
      "Compiles policies for each node, publishes the cluster's own addresses, and reports back onto policies.",
    )
    .addOption(option("--namespace <name>", "namespace of the Leases", "POD_NAMESPACE").default("port-hardening"))
    .option("--kubeconfig <file>", "absent: $KUBECONFIG, ~/.kube/config, or the pod's service account")
    .addOption(
      option("--health-host <ip>", "address of /healthz, /readyz and /metrics", "HEALTH_HOST").default("0.0.0.0"),
    )
    .addOption(
      option("--health-port <n>", "their port; 0 serves none", "HEALTH_PORT")
        .argParser(wholeNumber(0, 65535))
        .default(9472),
    )
    .addOption(
      // Kubernetes tells it nowhere in its API.
      option("--service-node-port-range <range>", "as kube-apiserver was started with", "SERVICE_NODE_PORT_RANGE")
        .argParser(nodePortRange)
        .default(DEFAULT_NODE_PORT_RANGE, "30000-32767"),
    )
    .addOption(
      option("--pod-range-name <name>", "of the MutatingAdmissionPolicy for pods and of its binding", "POD_RANGE_NAME")
        .argParser(nonEmpty)
        .default(DEFAULT_CONTROLLER_SETTINGS.podRangeName),
    )
    .addOption(settingsOption())
    .option("--no-leader-elect", "begin at once: no other controller may run")
    .addOption(
      option(
        "--leader-elect-lease-duration <seconds>",
        "how long others wait for a leader that has died",
        "LEADER_ELECT_LEASE_DURATION",
      )
        .argParser(wholeNumber(1, 3600))
        .default(15),
    )
    .addOption(
      option("--log-level <level>", "least level that is logged", "LOG_LEVEL").argParser(logLevel).default("info"),
    )
    .action(run);
}

function option(flag: string, description: string, variable: string): Option {
  return new Option(flag, description).env(variable);
}

async function run({
  namespace,
  kubeconfig,
  healthHost: host,
  healthPort: port,
  serviceNodePortRange,
  podRangeName,
  ...flags
}: ControllerFlags): Promise<void> {
  const version = programVersion();
  const logger = createLogger({ name: "controller", level: flags.logLevel });
  const registry = createRegistry({ component: "controller", version });
  const client = kubeClient(loadKubeConfig(kubeconfig), { userAgent: `port-hardening-controller/${version}` });
  const { allowedSysctls } = await readInstallSettings(flags.settings);
  const settings = { nodePortRange: serviceNodePortRange, podRangeName, allowedSysctls };
  const health = port === 0 ? {} : { health: { host, port } };
  // Of this process alone: one that comes back under the same name must not take itself for the one before.
  const identity = `${hostname()}_${randomUUID()}`;
  const leader = flags.leaderElect
    ? { leaderElection: { identity, durationSeconds: flags.leaderElectLeaseDuration } }
    : {};
  try {
    await runUntilStopped(
      (signal) => runController({ client, namespace, logger, registry, signal, settings, ...health, ...leader }),
      logger,
    );
  } finally {
    await client.close();
  }
}
