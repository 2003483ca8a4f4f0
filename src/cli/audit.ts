import { Command, Option } from "commander";
import { SEVERITIES, type Severity } from "../api/audit.ts";
import { auditSubject } from "../audit/check.ts";
import type { HostView } from "../audit/host-view.ts";
import { type Prober, prober } from "../audit/protocols/prober.ts";
import { runAudit } from "../audit/run-audit.ts";
import type { SocketReader } from "../audit/sockets.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { openProbeConnection } from "../kernel/probe-connection.ts";
import { socketReader } from "../kernel/socket-reader.ts";
import { auditExitCode, COULD_NOT_RUN } from "./audit-exit-code.ts";
import { auditJson, socketsJson } from "./audit-json.ts";
import { expectedListener, skippedProbes } from "./audit-options.ts";
import { type AuditProgress, auditProgress } from "./audit-progress.ts";
import { type AuditFlags, auditRequest } from "./audit-request.ts";
import { auditText } from "./audit-text.ts";
import { unmetOf } from "./audit-unmet.ts";
import { nodeLabels } from "./node-labels.ts";
import { rootFolder } from "./option-values.ts";

interface Flags extends AuditFlags {
  readonly root: string;
  readonly failOn: Severity | "none";
  readonly strict?: true;
  readonly json?: true;
}

/** `porthardening audit`: what is not as it should be on this host. Needs no cluster and changes nothing. */
export function auditCommand(): Command {
  return new Command("audit")
    .description(
      "Checks this host and says what is not as it should be. Changes nothing; needs no cluster. Connects to listeners on " +
        "protected ports to see what they speak. Exit code 0: nothing found, 1: findings, 2: could not run, or could not " +
        "make a check that a policy requires.",
    )
    .option(
      "-f, --filename <files...>",
      "policies to audit by: their ports, levels, expected listeners and skipProbes, and whom they let through; - is stdin",
    )
    .option("--node <name>", "name of the node, where policies select nodes; absent: the host's")
    .option("--node-labels <labels>", "its labels, key=value,...", nodeLabels, {})
    .option(
      "--expect <listener>",
      "a listener that is meant to be there, 9100=node_exporter or 30000-32767; again for each",
      expectedListener,
    )
    .option(
      "--skip-probes <ports...>",
      "ports that are not connected to, 5432,8000-8999; all: none is",
      skippedProbes,
      [],
    )
    .option("--probe-unreached", "connect to listeners that nobody outside reaches as well, such as those on loopback")
    .option("--root <folder>", "where the host's root is mounted, in a container: /host, /proc/1/root", rootFolder, "/")
    .addOption(
      new Option("--fail-on <severity>", "least severity that counts as found; none: only what policies require")
        .choices([...SEVERITIES, "none"])
        .default("high"),
    )
    .option("--strict", "exit code 2 where a check could not be made")
    .option("--json", "print JSON")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : COULD_NOT_RUN))
    .action(async (flags: Flags) => {
      const progress = auditProgress((line) => process.stderr.write(`${line}\n`));
      try {
        process.exitCode = await audit(flags, progress);
      } catch (error) {
        process.stderr.write(`porthardening: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = COULD_NOT_RUN;
      } finally {
        progress.end();
      }
    });
}

async function audit({ root, failOn, strict, json, ...asked }: Flags, progress: AuditProgress): Promise<number> {
  const host = localHostView({ root });
  if (root !== "/") await refuseOtherNetwork(host);
  const { settings, checks, policies, notes } = await auditRequest(asked, host);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  const sockets = socketReader();
  const probing = asked.skipProbes === "all" ? undefined : connecting(sockets, progress);
  const subject = auditSubject(host, sockets, settings, Date.now(), probing);
  // Before there are connections of our own.
  const seen = json ? await socketsJson(subject) : {};
  const reports = await runAudit(checks, subject, { started: ({ name }) => progress.started(name) });
  const unmet = unmetOf(reports, policies);
  process.stdout.write(json ? auditJson(reports, subject, { unmet, sockets: seen }) : auditText(reports, unmet));
  return auditExitCode(reports, { failOn, strict: strict === true, unmet });
}

function connecting(sockets: SocketReader, { probed }: AuditProgress): Prober {
  const clock = () => performance.now();
  return prober({ open: openProbeConnection, listening: () => sockets.listening(), clock, progress: probed });
}

/** A container with a network of its own would be audited in the host's name; so would one that may not look. */
async function refuseOtherNetwork(host: HostView): Promise<void> {
  const way = "run it privileged, with hostPID and hostNetwork (docker: --privileged --pid host --network host)";
  try {
    const [own, hosts] = [await host.readLink("/proc/self/ns/net"), await host.readLink("/proc/1/ns/net")];
    if (own !== undefined && own === hosts) return;
  } catch (error) {
    throw new Error(`cannot see whether this is the host's network: ${way}`, { cause: error });
  }
  throw new Error(`this container is not in the host's network: ${way}`);
}
