import { DEFAULT_MARK_BIT } from "../plan/node-settings.ts";
import type { RuleSet } from "../render/types.ts";
import {
  type Changes,
  differencesOf,
  evasionsOf,
  FAMILIES,
  hashReadBack,
  planChanges,
  planRollBack,
} from "./changes.ts";
import { observeConnections } from "./connections.ts";
import { takeDroppedPeers } from "./dropped-peers.ts";
import { ReadBackError, RollBackError, ToolError, ToolMissingError } from "./errors.ts";
import { hookPositions } from "./hook-positions.ts";
import type { Host } from "./host.ts";
import type { ApplyResult, Kernel, PlannedWrite } from "./kernel.ts";
import { observeLimitSources } from "./limit-sources.ts";
import { observeListeningPorts } from "./listening-ports.ts";
import { markRewriter } from "./mark-rewriter.ts";
import { observeNetwork } from "./network.ts";
import { learnNftTable } from "./nft-table.ts";
import { NO_RULES } from "./no-rules.ts";
import { nodeAccess } from "./node-access.ts";
import {
  type EntriesOf,
  type Observation,
  observeNode,
  observeRules,
  observeSets,
  observeSysctls,
  ofAll,
  ofNone,
} from "./observe.ts";
import { ownProcesses } from "./own-processes.ts";
import { checkRuleSet } from "./ownership.ts";
import { primeRestore } from "./prime.ts";
import { printedForms } from "./printed-forms.ts";
import { rollBackFiles } from "./roll-back-files.ts";
import { ourTables } from "./rules-plan.ts";
import { parseCounters } from "./saved-rules.ts";
import { observeOverrides } from "./sysctl-overrides.ts";
import { observeTopAddresses } from "./top-addresses.ts";
import { watchRules } from "./watch-rules.ts";
import { attemptAll, writeRules, writeSteps } from "./write-changes.ts";

export interface LinuxKernelOptions {
  readonly host: Host;
  /** Where the originals are kept; survives restarts. */
  readonly stateDir: string;
  /** `/etc/sysctl.d` of the node. */
  readonly sysctlDir: string;
  /** Our bit of packets' marks (`NodeSettings.markBit`). */
  readonly markBit?: number;
  /** Milliseconds, by any clock: what paces, and when an event came. */
  readonly now?: () => number;
}

/**
 * Rules by iptables-nft, sets by ipset, sysctls by /proc/sys. Level-based: each call reads what is there, plans the
 * difference and writes only that, so what a crash left half done is just another starting point. One call at a time.
 */
export function linuxKernel({
  host,
  stateDir,
  sysctlDir,
  markBit = DEFAULT_MARK_BIT,
  now = Date.now,
}: LinuxKernelOptions): Kernel {
  const own = ownProcesses(now);
  const node = nodeAccess(host, stateDir, sysctlDir, own, now);
  const forms = printedForms();
  const positions = hookPositions(now);
  const oneAtATime = lane();

  const observe = (desired: RuleSet, entriesOf: EntriesOf) =>
    observeNode(
      node,
      desired.sysctls.map(({ key }) => key),
      entriesOf,
    );

  const feasible = (changes: Changes): Changes => ({
    ...changes,
    sysctlFile: node.persistence.feasible(changes.sysctlFile),
  });
  function plan(desired: RuleSet, found: Observation): Changes {
    const changes = planChanges(desired, found, forms, positions.ceded);
    const { now: there, goal } = changes.sysctlFile;
    if (there === goal) node.persistence.settled();
    return feasible(changes);
  }

  async function write(desired: RuleSet, changes: Changes): Promise<Observation> {
    for (const step of writeSteps(node, changes)) await step();
    positions.moved(evasionsOf(changes).map(({ place }) => place));
    // The size tells enough of a set that was edited in place: ipset refuses to add what is there and to delete what is not.
    const found = await observe(desired, (name) => changes.sets.rewritten.includes(name));
    learnForms(changes, plan(desired, found));
    const after = plan(desired, found);
    positions.saw(evasionsOf(after));
    const differences = differencesOf(after);
    if (differences.length > 0) throw new ReadBackError(differences);
    return found;
  }

  /** Only chains that this apply wrote: any other that differs was changed by somebody else. */
  function learnForms(written: Changes, readBack: Changes): void {
    learnNftTable(written.nftTable, readBack.nftTable, forms);
    for (const family of FAMILIES) {
      const ours = new Set(written.rules[family].mismatches.map(({ place }) => place));
      for (const { place, rendered, printed } of readBack.rules[family].mismatches)
        if (ours.has(place) && printed !== undefined) forms.learn(place, rendered, printed);
    }
  }

  async function rollBack(desired: RuleSet, before: Observation, cause: Error): Promise<never> {
    const failures: Error[] = [];
    try {
      const keys = [...before.sysctls.keys()];
      const changes = planRollBack(before, await observe(desired, ofAll), keys, forms);
      failures.push(...(await attemptAll(writeSteps(node, changes))));
    } catch (error) {
      failures.push(error instanceof Error ? error : new ToolError("unknown", String(error)));
    }
    if (failures.length > 0) throw new RollBackError(cause, failures);
    throw cause;
  }

  function plannedWrite(before: Observation, changes: Changes, differences: readonly string[]): PlannedWrite {
    const paths = { originals: node.originals.paths, sysctlFile: node.sysctlFile };
    const ours = FAMILIES.flatMap((family) => ourTables(family, before.tables[family]));
    const fresh = ours.every(({ chains, hooks }) => chains.length + hooks.length === 0);
    return { differences, rollBack: rollBackFiles(before, changes, paths), fresh };
  }

  async function apply(desired: RuleSet, beforeWrite?: (write: PlannedWrite) => Promise<void>): Promise<ApplyResult> {
    const start = now();
    checkRuleSet(desired);
    const before = await observe(desired, ofAll);
    const changes = plan(desired, before);
    positions.saw(evasionsOf(changes));
    const differences = differencesOf(changes);
    let found = before;
    if (differences.length > 0) {
      await beforeWrite?.(plannedWrite(before, changes, differences));
      try {
        found = await write(desired, changes);
      } catch (error) {
        await rollBack(desired, before, error instanceof Error ? error : new ToolError("unknown", String(error)));
      }
    } else {
      await node.originals.write(changes.sysctls.originalsAfter, before.originals);
    }
    const readBackHash = hashReadBack(desired, found);
    const mended = differencesOf(feasible(changes));
    return { unchanged: mended.length === 0, differences: mended, readBackHash, milliseconds: now() - start };
  }

  async function clear(): Promise<void> {
    const changes = planChanges(NO_RULES, await observe(NO_RULES, ofAll), forms);
    // A way out: what can be removed is removed, whatever else fails.
    const failures = await attemptAll(writeSteps(node, changes));
    const left = await observe(NO_RULES, ofNone);
    for (const name of left.sets.keys())
      failures.push(new ToolError("ipset", `set ${name} is in use by a rule of somebody else`));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join("; "));
  }

  return {
    async facts() {
      const [version] = await Promise.all([
        node.run(node.tools.save[4], ["--version"]),
        node.run(node.tools.save[6], ["--version"]),
        node.run("ipset", ["--version"]),
      ]);
      const [release, connections] = await Promise.all([
        host.readSysctl("kernel.osrelease"),
        host.readSysctl("net.netfilter.nf_conntrack_count"),
      ]);
      return {
        backend: node.tools.backend,
        iptablesVersion: /\bv([\d.]+)/.exec(version)?.[1] ?? version.trim(),
        kernelVersion: release ?? "unknown",
        conntrackActive: Number(connections ?? 0) > 0,
      };
    },
    async rejectObstacle() {
      try {
        await node.run("nft", ["--version"]);
      } catch (error) {
        if (error instanceof ToolMissingError) return error.message;
        throw error;
      }
      const saved = await Promise.all(FAMILIES.map((family) => observeRules(node, family)));
      const [rule] = saved.flatMap(({ mangle }) => markRewriter(mangle, markBit) ?? []);
      return rule && `a rule of table mangle overwrites the mark bit that says what to reject: ${rule}`;
    },
    apply: (desired, beforeWrite) => oneAtATime(() => apply(desired, beforeWrite)),
    verify: (desired, depth) =>
      oneAtATime(async () => {
        const changes = plan(desired, await observe(desired, depth === "Full" ? ofAll : ofNone));
        positions.saw(evasionsOf(changes));
        return differencesOf(changes);
      }),
    evasions: () => positions.evasions,
    prime: () =>
      oneAtATime(async () => {
        const [v4, v6] = await Promise.all([observeRules(node, 4), observeRules(node, 6)]);
        await writeRules(node, { 4: primeRestore(v4.mangle), 6: primeRestore(v6.mangle) });
      }),
    clear: () => oneAtATime(clear),
    async counters() {
      const read = async (family: 4 | 6) => parseCounters(family, await node.run(node.tools.save[family], ["-c"]));
      return (await Promise.all(FAMILIES.map(read))).flat();
    },
    limitSources: (tables) => observeLimitSources(host, tables),
    setEntries: async (names) => {
      const found = await observeSets(node, (name) => names.includes(name));
      return new Map([...found].flatMap(([name, { entries }]) => (entries === undefined ? [] : [[name, entries]])));
    },
    network: () => observeNetwork(node),
    connections: (visit) => observeConnections(node, visit),
    topAddresses: (sets, most) => observeTopAddresses(node, sets, most),
    takeDropped: (sets) => oneAtATime(() => takeDroppedPeers(node, sets)),
    sysctls: (keys) => observeSysctls(node, keys),
    listeningPorts: () => observeListeningPorts(host),
    sysctlOverrides: (settings) => observeOverrides(host, sysctlDir, settings),
    persistObstacle: () => node.persistence.obstacle,
    watch: (signal, onDrift) => watchRules({ host, own, now, signal, onDrift }),
  };
}

/** Runs tasks one after another, whatever becomes of each. */
function lane(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task, task);
    last = result;
    return result;
  };
}
