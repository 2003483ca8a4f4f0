import { Command, InvalidArgumentError, Option } from "commander";
import { SEVERITIES, type Severity } from "../api/audit.ts";
import { PORT_PATTERN, portBounds } from "../api/ports.ts";
import { auditSubject } from "../audit/check.ts";
import type { HostView } from "../audit/host-view.ts";
import type { ExpectedListener } from "../audit/listeners/expected.ts";
import { CHECKS } from "../audit/registry.ts";
import { runAudit } from "../audit/run-audit.ts";
import { type AuditSettings, DEFAULT_PROTECTED_PORTS } from "../audit/settings.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { socketReader } from "../kernel/socket-reader.ts";
import { auditExitCode, COULD_NOT_RUN } from "./audit-exit-code.ts";
import { auditJson } from "./audit-json.ts";
import { auditText } from "./audit-text.ts";
import { loadObjects } from "./load-objects.ts";

interface AuditFlags {
  readonly filename?: readonly string[];
  readonly expect?: readonly ExpectedListener[];
  readonly root: string;
  readonly failOn: Severity;
  readonly strict?: true;
  readonly json?: true;
}

/** `porthardening audit`: what is not as it should be on this host. Needs no cluster and changes nothing. */
export function auditCommand(): Command {
  return new Command("audit")
    .description(
      "Checks this host and says what is not as it should be. Changes nothing; needs no cluster. " +
        "Exit code 0: nothing found, 1: findings, 2: could not run.",
    )
    .option("-f, --filename <files...>", "policies whose inbound ports are the protected ones; - is stdin")
    .option(
      "--expect <listener>",
      "a listener that is meant to be there, 9100=node_exporter or 30000-32767; again for each",
      expected,
    )
    .option("--root <folder>", "where the host's root is mounted, in a container: /host, /proc/1/root", root, "/")
    .addOption(
      new Option("--fail-on <severity>", "least severity that counts as found").choices(SEVERITIES).default("high"),
    )
    .option("--strict", "exit code 2 where a check could not be made")
    .option("--json", "print JSON")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : COULD_NOT_RUN))
    .action(async (flags: AuditFlags) => {
      try {
        process.exitCode = await audit(flags);
      } catch (error) {
        process.stderr.write(`porthardening: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = COULD_NOT_RUN;
      }
    });
}

async function audit({ filename, expect, root: folder, failOn, strict, json }: AuditFlags): Promise<number> {
  const settings: AuditSettings = {
    protectedPorts: filename === undefined ? DEFAULT_PROTECTED_PORTS : await inboundPorts(filename),
    ...(expect !== undefined && { expected: expect }),
    judge: () => "Unknown",
  };
  const host = localHostView({ root: folder });
  if (folder !== "/") await refuseOtherNetwork(host);
  const subject = auditSubject(host, socketReader(), settings, Date.now());
  const reports = await runAudit(CHECKS, subject);
  process.stdout.write(json ? await auditJson(reports, subject) : auditText(reports));
  return auditExitCode(reports, { failOn, strict: strict === true });
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

async function inboundPorts(files: readonly string[]) {
  const { policies } = await loadObjects(files);
  const ports = policies.flatMap(({ spec }) => spec.firewall?.inbound?.ports ?? []);
  return ports.length === 0 ? DEFAULT_PROTECTED_PORTS : [...new Set(ports)];
}

function expected(text: string, before: readonly ExpectedListener[] = []): readonly ExpectedListener[] {
  const [port = "", process] = text.split("=", 2);
  const { from, to } = portBounds(port);
  if (!new RegExp(PORT_PATTERN).test(port) || from > to || process === "") {
    throw new InvalidArgumentError("Give a port or a range, and a process if it matters: 9100=node_exporter.");
  }
  return [...before, { port, ...(process !== undefined && { process }) }];
}

function root(text: string): string {
  if (!text.startsWith("/")) throw new InvalidArgumentError("Give an absolute path.");
  return text === "/" ? text : text.replace(/\/+$/, "");
}
