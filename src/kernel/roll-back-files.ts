import type { Family } from "../plan/node-plan.ts";
import { type Changes, FAMILIES } from "./changes.ts";
import type { RollBackFiles } from "./kernel.ts";
import { NFT_TABLE } from "./nft-table.ts";
import type { Observation } from "./observe.ts";
import { printOriginals } from "./originals.ts";
import { SWAP_SET } from "./ownership.ts";
import { ourTables } from "./rules-plan.ts";
import type { SavedSet } from "./saved-sets.ts";

export interface RollBackPaths {
  readonly originals: readonly string[];
  readonly sysctlFile: string;
}

/** All that `changes` may touch as it was `before`, for any moment between before and after. Pure. */
export function rollBackFiles(before: Observation, changes: Changes, paths: RollBackPaths): RollBackFiles {
  return new Map([
    ...FAMILIES.map((family) => [`rules.${family}`, printRules(family, before)] as const),
    ...setFiles(before, changes),
    ...nftFiles(changes),
    ...sysctlFiles(before, changes),
    ...hostFiles(before, changes, paths),
  ]);
}

/** Both tables with nothing but ours; the guard adds what of ours is there and was not. */
function printRules(family: Family, { tables }: Observation): string {
  const lines = ourTables(family, tables[family]).flatMap(({ name, chains, hooks }) => [
    `*${name}`,
    ...chains.map((chain) => `:${chain.name} - [0:0]`),
    ...chains.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`)),
    ...hooks.flatMap(({ chain, rules }) => rules.map((rule, index) => `-I ${chain} ${index + 1} ${rule}`)),
    "COMMIT",
  ]);
  return asLines(lines);
}

/** For `ipset -exist restore`: each line may have been carried out before. Only sets that change, and of an edit the edit. */
function setFiles({ sets: saved }: Observation, { sets }: Changes): [string, string][] {
  const edits = (sets.restore ?? "").split("\n").flatMap((line) => {
    const [, verb, name, entry] = /^(add|del) (\S+) (\S+)$/.exec(line) ?? [];
    return verb !== undefined && name !== undefined && saved.has(name) && !sets.rewritten.includes(name)
      ? [`${verb === "add" ? "del" : "add"} ${name} ${entry}`]
      : [];
  });
  const contentOf = (set: SavedSet, name: string) => (set.entries ?? []).map((entry) => `add ${name} ${entry}`);
  const rewritten = sets.rewritten.flatMap((name, index) => {
    const set = saved.get(name);
    if (set === undefined) return [];
    const fresh = `${SWAP_SET}b${index}`;
    return [
      `create ${name} ${set.create}`,
      `create ${fresh} ${set.create}`,
      `flush ${fresh}`,
      ...contentOf(set, fresh),
      `swap ${fresh} ${name}`,
      `destroy ${fresh}`,
    ];
  });
  const obsolete = sets.obsolete.flatMap((name) => {
    const set = saved.get(name);
    return set === undefined ? [] : [`create ${name} ${set.create}`, ...contentOf(set, name)];
  });
  // What was there comes back before what came goes: no moment is narrower than both.
  const adding = edits.filter((line) => line.startsWith("add"));
  const before = [...obsolete, ...rewritten, ...adding, ...edits.filter((line) => line.startsWith("del"))];
  const created = (sets.restore ?? "").matchAll(/^create (\S+) /gm);
  const after = [...created].flatMap(([, name = ""]) => (saved.has(name) || name.startsWith(SWAP_SET) ? [] : [name]));
  return [...nonEmpty("sets.before", before), ...nonEmpty("sets.after", after)];
}

/** Before the rules that mark for it come back, or behind those that mark and go. */
function nftFiles({ nftTable: { now, difference } }: Changes): [string, string][] {
  if (difference === undefined) return [];
  const remove = [`table ${NFT_TABLE}`, `delete table ${NFT_TABLE}`];
  return now === undefined ? nonEmpty("nft.after", remove) : nonEmpty("nft.before", [...remove, now]);
}

function sysctlFiles(before: Observation, { sysctls }: Changes): [string, string][] {
  const lines = sysctls.writes.flatMap(({ key }) => {
    const value = before.sysctls.get(key);
    return value === undefined ? [] : [`${key.replaceAll(".", "/")} ${value}`];
  });
  return nonEmpty("sysctls", lines);
}

function hostFiles(before: Observation, { sysctls, sysctlFile }: Changes, paths: RollBackPaths): [string, string][] {
  const originals = printOriginals(before.originals);
  const remembered = [sysctls.originalsBefore, sysctls.originalsAfter].map(printOriginals);
  const changing = [
    ...(remembered.some((content) => content !== originals)
      ? paths.originals.map((path) => ({ path, content: originals }))
      : []),
    ...(sysctlFile.now === sysctlFile.goal ? [] : [{ path: paths.sysctlFile, content: sysctlFile.now }]),
  ];
  return [
    ...nonEmpty(
      "files",
      changing.map(({ path }, index) => `${index} ${path}`),
    ),
    ...changing.flatMap(({ content }, index): [string, string][] =>
      content === undefined ? [] : [[`file.${index}`, content]],
    ),
  ];
}

function nonEmpty(name: string, lines: readonly string[]): [string, string][] {
  return lines.length === 0 ? [] : [[name, asLines(lines)]];
}

function asLines(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
