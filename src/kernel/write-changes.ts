import { setTimeout as wait } from "node:timers/promises";
import { LOCAL_PORT_RANGE, UNPRIVILEGED_PORT_START } from "../plan/port-sysctls.ts";
import { type Changes, FAMILIES } from "./changes.ts";
import { RestoreError, SysctlError, ToolError } from "./errors.ts";
import { settleNftTable, writeNftTable } from "./nft-table.ts";
import type { NodeAccess } from "./node-access.ts";
import { type Originals, type SysctlPlan, sameValue } from "./sysctl-plan.ts";

/** The rules' destructors run after the restore has returned, in the kernel's own time: until then a set counts as used. */
const DESTROY_WAITS_MILLISECONDS = [5, 10, 20, 40, 80, 160, 320];

/**
 * The writes, in the order in which no step needs a later one and no moment is more open than old or new: sysctls (their
 * originals on disk first), sets that the new rules name, the table that rejects what they mark, rules, the sysctl.d file,
 * the table where rules mark otherwise or not any more, sets that only the old rules named.
 *
 * Sysctls come first as only writing one tells whether the kernel takes it: one that it refuses must not have the rules come
 * and go at each retry.
 */
export function writeSteps(node: NodeAccess, changes: Changes): (() => Promise<void>)[] {
  const { nftTable, sets, sysctls, sysctlFile } = changes;
  return [
    () => writeSysctls(node, sysctls, changes.originals),
    async () => {
      if (sets.restore !== undefined) await node.run("ipset", ["restore"], sets.restore);
    },
    () => writeNftTable(node, nftTable),
    () => writeRules(node, { 4: changes.rules[4].restore, 6: changes.rules[6].restore }),
    () => node.persistence.write(sysctlFile),
    () => settleNftTable(node, nftTable),
    () => destroySets(node, sets.obsolete),
  ];
}

/** Both families at once, each by one process; waits for both before it throws. */
export async function writeRules(
  node: NodeAccess,
  restores: { readonly 4: string | undefined; readonly 6: string | undefined },
): Promise<void> {
  const results = await Promise.allSettled(
    FAMILIES.map(async (family) => {
      const restore = restores[family];
      if (restore !== undefined) await node.run(node.tools.restore[family], ["--noflush"], restore);
    }),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** One that fails does not keep the others from theirs; the originals are forgotten only when all have been given back. */
async function writeSysctls(node: NodeAccess, plan: SysctlPlan, known: Originals): Promise<void> {
  await node.originals.write(plan.originalsBefore, known);
  const [failure] = await attemptAll(
    plan.writes.map(
      ({ key, value }) =>
        () =>
          writeSysctl(node, key, value),
    ),
  );
  if (failure !== undefined) throw failure;
  await node.originals.write(plan.originalsAfter, plan.originalsBefore);
}

async function writeSysctl({ host }: NodeAccess, key: string, value: string): Promise<void> {
  try {
    await host.writeSysctl(key, value);
  } catch (error) {
    throw error instanceof SysctlError ? await withWayOut(host, error) : error;
  }
  const now = await host.readSysctl(key);
  if (now === undefined || !sameValue(now, value))
    throw new SysctlError(key, value, `reads back as ${now ?? "nothing"}`);
}

/** The kernel says no more than "invalid" of a range that begins among the privileged ports (ipv4_local_port_range). */
async function withWayOut(host: NodeAccess["host"], error: SysctlError): Promise<SysctlError> {
  const start = await host.readSysctl(UNPRIVILEGED_PORT_START);
  const from = Number(error.value.split(" ")[0]);
  if (error.key !== LOCAL_PORT_RANGE || from >= Number(start ?? 0)) return error;
  const words =
    `${error.words}: the range begins under ${UNPRIVILEGED_PORT_START}, which is ${start} on this node, and the kernel takes ` +
    `none that does; begin it at ${start} or above, or lower that sysctl`;
  return new SysctlError(error.key, error.value, words, { cause: error });
}

/** Destroys sets. One that somebody else's rule uses is left: it is no longer ours to judge, and the rules are right without it. */
async function destroySets(node: NodeAccess, names: readonly string[]): Promise<void> {
  const waits = [...DESTROY_WAITS_MILLISECONDS];
  let left = [...names];
  while (left.length > 0) {
    try {
      await node.run("ipset", ["restore"], left.map((name) => `destroy ${name}\n`).join(""));
      return;
    } catch (error) {
      if (!(error instanceof RestoreError)) throw error;
      left = left.slice(error.line - 1);
      const milliseconds = /in use/.test(error.words) ? waits.shift() : undefined;
      if (milliseconds === undefined) left.shift();
      else await wait(milliseconds);
    }
  }
}

/** Runs all steps, also after one failed. @returns the failures */
export async function attemptAll(steps: readonly (() => Promise<void>)[]): Promise<Error[]> {
  const failures: Error[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error instanceof Error ? error : new ToolError("unknown", String(error)));
    }
  }
  return failures;
}
