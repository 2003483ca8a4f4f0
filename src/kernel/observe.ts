import type { Family } from "../plan/node-plan.ts";
import { observeNftTable } from "./nft-table.ts";
import type { NodeAccess } from "./node-access.ts";
import { isOurSet } from "./ownership.ts";
import { parseSavedRules, type SavedTables } from "./saved-rules.ts";
import { isCountedType, parseSavedSets, type SavedSet } from "./saved-sets.ts";
import type { Originals } from "./sysctl-plan.ts";

/** What is on the node now, as far as we are concerned. */
export interface Observation {
  /** Our tables with all their chains: where our hooks stand is told by what surrounds them. */
  readonly tables: Readonly<Record<Family, SavedTables>>;
  readonly nftTable: string | undefined;
  /** Only ours. */
  readonly sets: ReadonlyMap<string, SavedSet>;
  /** Keys asked for, and those with an original. */
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  readonly originals: Originals;
  /** Content of our sysctl.d file. */
  readonly sysctlFile: string | undefined;
}

/** Which sets are read with their entries; of the others only the header with their size. */
export type EntriesOf = (setName: string) => boolean;
export const ofAll: EntriesOf = () => true;
export const ofNone: EntriesOf = () => false;

export async function observeNode(
  node: NodeAccess,
  sysctlKeys: readonly string[],
  entriesOf: EntriesOf,
): Promise<Observation> {
  const [v4, v6, nftTable, sets, originals, sysctlFile] = await Promise.all([
    observeRules(node, 4),
    observeRules(node, 6),
    observeNftTable(node),
    observeSets(node, entriesOf),
    node.originals.read(),
    node.host.readFile(node.sysctlFile),
  ]);
  const sysctls = await observeSysctls(node, [...sysctlKeys, ...Object.keys(originals)]);
  return { tables: { 4: v4, 6: v6 }, nftTable, sets, sysctls, originals, sysctlFile };
}

/** All tables by one process: `-t` takes one table, and reads the whole rule set from the kernel just the same (1.8.9). */
export async function observeRules(node: NodeAccess, family: Family): Promise<SavedTables> {
  const tool = node.tools.save[family];
  return parseSavedRules(tool, await node.run(tool, []));
}

export async function observeSets(node: NodeAccess, entriesOf: EntriesOf): Promise<Map<string, SavedSet>> {
  const all = parseSavedSets(await node.run("ipset", ["list", "-t"]));
  const headers = new Map([...all].filter(([name]) => isOurSet(name)));
  const listed = [...headers.values()].filter(({ name, type }) => !isCountedType(type) && entriesOf(name)).map(nameOf);
  if (listed.length === 0) return headers;
  // Only ours, in one process: others' sets (kube-proxy in ipvs mode) may be huge. `restore` takes any command.
  const lists = listed.map((name) => `list ${name}\n`).join("");
  return new Map([...headers, ...parseSavedSets(await node.run("ipset", ["restore"], lists))]);
}

const nameOf = ({ name }: SavedSet): string => name;

export async function observeSysctls(
  node: NodeAccess,
  keys: readonly string[],
): Promise<Map<string, string | undefined>> {
  const unique = [...new Set(keys)];
  return new Map(await Promise.all(unique.map(async (key) => [key, await node.host.readSysctl(key)] as const)));
}
