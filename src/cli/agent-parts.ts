import type { Agent } from "../agent/agent.ts";
import { disengageFile } from "../agent/disengage-file.ts";
import { foundFile } from "../agent/found-file.ts";
import { stateDirectory } from "../agent/state-directory.ts";
import { steadyClock } from "../agent/steady-clock.ts";
import { hostChanger } from "../kernel/host-changer.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { type NodeProbesOptions, nodeProbes } from "../kernel/node-probes.ts";
import { socketReader } from "../kernel/socket-reader.ts";
import { sysctlInNetwork } from "../kernel/sysctl-in-network.ts";
import type { Labels } from "../plan/select.ts";
import { startHealthServer } from "../telemetry/health-server.ts";
import { createLogger, type LogLevel } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/registry.ts";
import { readInstallSettings } from "./install-settings.ts";
import { programVersion } from "./program-version.ts";
import { resolveName, resolverFiles } from "./resolvers.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

export interface AgentFlags {
  readonly policies?: string;
  readonly nodeLabels: Labels;
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

/** What every agent needs of its node. */
export async function nodeParts({ stateDir, sysctlDir, hostRoot, markBit, ...flags }: AgentFlags) {
  const version = programVersion();
  const install = await readInstallSettings(flags.settings);
  const clock = steadyClock();
  return {
    version,
    install,
    clock,
    kernel: linuxKernel({ host: localHost(), stateDir, sysctlDir, markBit, now: clock.now }),
    directory: stateDirectory(stateDir),
    disengageFile: disengageFile(stateDir),
    foundFile: foundFile(stateDir, localHost()),
    probesWith: (apiServer: NodeProbesOptions["apiServer"]) => () =>
      nodeProbes({ host: localHost(), apiServer, resolverFiles: resolverFiles(hostRoot) }),
    host: localHostView({ root: hostRoot }),
    changer: hostChanger({ root: hostRoot, host: localHost() }),
    sockets: socketReader(),
    sysctlIn: sysctlInNetwork(localHost(), hostRoot),
    resolve: resolveName,
    settings: { ...install.node, markBit },
    primeMilliseconds: flags.primeSeconds * 1000,
    registry: createRegistry({ component: "agent", version }),
    log: createLogger({ name: "agent", level: flags.logLevel }),
  };
}

/** Runs it until it is told to stop, with its health and metrics. */
export async function serve(
  { run, notReady, collect }: Agent,
  { healthHost: host, healthPort: port, nodeName: node }: AgentFlags,
  { registry, log, version }: Awaited<ReturnType<typeof nodeParts>>,
): Promise<void> {
  const health =
    port === 0
      ? undefined
      : await startHealthServer({ host, port, ready: notReady, registry, collect }).catch((cause: Error) => {
          throw new Error(`${cause.message}; choose another address with --health-host and --health-port`, { cause });
        });
  log.info({ version, node, healthPort: health?.port }, "agent started");
  await runUntilStopped(run, log).finally(() => health?.close());
}
