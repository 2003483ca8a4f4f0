import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { Command } from "commander";
import { charged } from "../agent/charged.ts";
import { commit } from "../agent/commit.ts";
import { disengageFile } from "../agent/disengage-file.ts";
import { compileEnforcement, type Enforcement } from "../agent/enforcement.ts";
import { type Enforcer, enforcer } from "../agent/enforcer.ts";
import { type Guard, guardFolder } from "../agent/guard-folder.ts";
import { probing } from "../agent/probing.ts";
import { savedState } from "../agent/saved-state.ts";
import { stateDirectory, statePaths } from "../agent/state-directory.ts";
import { linuxKernel } from "../kernel/linux-kernel.ts";
import { localHost } from "../kernel/local-host.ts";
import { nodeProbes } from "../kernel/node-probes.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { Labels } from "../plan/select.ts";
import { createLogger } from "../telemetry/logger.ts";
import { withWhatTheHostShows } from "./found-settings.ts";
import { runGuardOnce, startGuard } from "./guard-script.ts";
import { readInstallSettings, settingsOption } from "./install-settings.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeIdentity, nodeLabels } from "./node-labels.ts";
import { nodePlan } from "./node-rules.ts";
import { rootFolder, wholeNumber } from "./option-values.ts";
import { resolverFiles } from "./resolvers.ts";

interface ApplyFlags {
  readonly filename: readonly string[];
  readonly node: string;
  readonly nodeLabels: Labels;
  readonly settings?: string;
  readonly confirmWithin?: number;
  readonly primeSeconds: number;
  readonly stateDir: string;
  readonly sysctlDir: string;
  readonly hostRoot: string;
}

/** `porthardening apply`: enforces policies on this host, and takes them back where nobody confirms. Needs no cluster. */
export function applyCommand(): Command {
  return new Command("apply")
    .description(
      "Enforces policies from files on this host, in place of those that were, and takes them back where DNS or the gateway do not " +
        "answer any more. Needs root and no cluster; no agent may run here. Rules hold until the next boot, and nothing repairs them: `porthardening agent --policies` does.",
    )
    .requiredOption("-f, --filename <files...>", "policies, address groups; - is stdin")
    .option(
      "--confirm-within <seconds>",
      "take everything back unless `porthardening confirm` is run in time",
      wholeNumber(5, 3600),
    )
    .option("--node <name>", "name of this host, where policies select by Node objects", hostname())
    .option("--node-labels <labels>", "its labels, key=value,...", nodeLabels, {})
    .option("--prime-seconds <n>", "how long conntrack learns before the first enforcement", wholeNumber(0, 3600), 30)
    .option("--state-dir <dir>", "survives reboots", "/var/lib/port-hardening")
    .option("--sysctl-dir <dir>", "sysctl.d", "/etc/sysctl.d")
    .option("--host-root <folder>", "where sshd, resolv.conf and kubelet's files are looked for", rootFolder, "/")
    .addOption(settingsOption())
    .action(apply);
}

async function apply(flags: ApplyFlags): Promise<void> {
  const { filename, node, nodeLabels: labels, confirmWithin: seconds } = flags;
  if ((await disengageFile(flags.stateDir).read()) !== undefined) {
    throw new Error("somebody disengaged this host: run `porthardening engage` before");
  }
  const { policies, groups, nodes } = await loadObjects(filename);
  const install = await readInstallSettings(flags.settings);
  const { assigned, known, notes } = nodePlan(policies, groups, nodeIdentity(node, labels, nodes), nodes, install);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  const settings = await withWhatTheHostShows(install.node, { ...flags, remember: true });
  const enforcement = compileEnforcement(assigned, { present: known, before: [] }, settings);
  const guard = guardOf(flags.stateDir);
  const left = await guard.left();
  if (left?.armed === true && left.boot === "This") {
    throw new Error("a change waits to be confirmed: run `porthardening confirm`, or wait until it is taken back");
  }
  if (left?.armed === true) await guard.rollBack();
  await guard.forget();
  await enforce(await enforcerOf(flags, settings, seconds === undefined ? guard : byHand(guard, seconds)), enforcement);
  const names = assigned.map(({ name }) => name).join(", ");
  process.stdout.write(
    seconds === undefined || (await guard.left()) === undefined
      ? `enforced: ${names}\n`
      : `enforced: ${names}\nIt is taken back in ${seconds} s. Open another session; if that works, run: porthardening confirm\n`,
  );
}

/** Changes of this folder; the guard is started when it is needed. */
export function guardOf(stateDir: string): Guard {
  const { guard, last } = statePaths(stateDir);
  return guardFolder({
    path: guard,
    lastFile: last,
    runOnce: () => runGuardOnce(guard),
    start: () => startGuard(guard),
  });
}

/** A person confirms, with as much time as that person asked for. */
function byHand(guard: Guard, seconds: number): Guard {
  return {
    ...guard,
    arm: (change, rollBack) => guard.arm(change, rollBack, seconds),
    confirm: async () => true,
  };
}

async function enforcerOf(flags: ApplyFlags, settings: NodeSettings, guard: Guard): Promise<Enforcer> {
  const { stateDir, sysctlDir, hostRoot } = flags;
  const host = localHost();
  const log = createLogger({ name: "apply", level: "fatal" });
  const kernel = linuxKernel({ host, stateDir, sysctlDir, markBit: settings.markBit });
  const directory = stateDirectory(stateDir);
  const saved = savedState({ directory, log, now: Date.now });
  await saved.load();
  const committing = commit({
    kernel,
    guard,
    probing: probing({
      probes: () => nodeProbes({ host, apiServer: undefined, resolverFiles: resolverFiles(hostRoot) }),
      sleep: (milliseconds) => wait(milliseconds),
    }),
    saved,
    // Whoever runs the command again asks for another try.
    charges: charged({ loadCharges: async () => [], saveCharges: async () => undefined }, log),
    settings: () => settings,
    log,
    now: Date.now,
  });
  return enforcer({
    kernel,
    commit: committing,
    log,
    now: Date.now,
    primeMilliseconds: flags.primeSeconds * 1_000,
    judgedBefore: () => saved.last.policies.length > 0,
    complete: async (enforcement) => enforcement,
    beforeReplace: async () => undefined,
    onApplied: () => undefined,
    onFailed: () => undefined,
  });
}

/** With its priming; a failure is the caller's, who may try again. */
async function enforce(one: Enforcer, enforcement: Enforcement): Promise<void> {
  one.aim({ kind: "Enforce", enforcement });
  while (!(await one.reach())) {
    if (one.failure !== undefined) throw one.failure;
    await wait(Math.max(0, one.wakeAt() - Date.now()));
  }
}
