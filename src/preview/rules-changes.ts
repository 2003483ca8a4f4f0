import type { Family } from "../plan/node-plan.ts";
import type { RuleSet, SysctlSetting, TableName } from "../render/types.ts";
import { type ChangeKind, eachKey, type ListChange, listChange } from "./list-change.ts";

/** A chain of ours, or our hooks in one that is not (`hook`). Both lists empty: another order. */
export interface ChainChange extends ListChange {
  readonly family: Family;
  readonly table: TableName;
  readonly chain: string;
  readonly hook: boolean;
  readonly change: ChangeKind;
}

export interface SetChange extends ListChange {
  readonly set: string;
  readonly change: ChangeKind;
}

/** A sysctl that policies set; what is not set by any has the value that it had before. */
export interface SettingChange {
  readonly key: string;
  readonly before?: string;
  readonly after?: string;
}

/** What differs in the kernel. */
export interface RulesChange {
  readonly chains: readonly ChainChange[];
  readonly sets: readonly SetChange[];
  readonly settings: readonly SettingChange[];
  /** Table `inet porthardening`, which rejects. */
  readonly rejectTable: ChangeKind | undefined;
}

export function rulesChanges(before: RuleSet, after: RuleSet): RulesChange {
  return {
    chains: chainChanges(before, after),
    sets: setChanges(before, after),
    settings: settingChanges(before, after),
    rejectTable: textChange(before.nftTable, after.nftTable),
  };
}

export function isNoChange({ chains, sets, settings, rejectTable }: RulesChange): boolean {
  return chains.length + sets.length + settings.length === 0 && rejectTable === undefined;
}

type Place = Pick<ChainChange, "family" | "table" | "chain" | "hook">;
interface Rules extends Place {
  readonly rules: readonly string[];
}

function chainChanges(before: RuleSet, after: RuleSet): ChainChange[] {
  return eachKey(chainsOf(before), chainsOf(after)).flatMap(({ change, was, is }) => {
    const here = is ?? was;
    if (here === undefined || was?.rules.join("\n") === is?.rules.join("\n")) return [];
    const { rules: _, ...place } = here;
    return [{ ...place, change, ...listChange(was?.rules ?? [], is?.rules ?? []) }];
  });
}

function chainsOf({ tables }: RuleSet): ReadonlyMap<string, Rules> {
  const all = tables.flatMap(({ family, name: table, chains, hooks }): Rules[] => [
    ...hooks.map(({ chain, rules }) => ({ family, table, chain, hook: true, rules })),
    ...chains.map(({ name, rules }) => ({ family, table, chain: name, hook: false, rules })),
  ]);
  return new Map(all.map((one) => [`${one.family} ${one.table} ${one.chain}`, one]));
}

function setChanges(before: RuleSet, after: RuleSet): SetChange[] {
  return eachKey(setsOf(before), setsOf(after)).flatMap(({ key, change, was, is }) => {
    const difference = listChange(was ?? [], is ?? []);
    const same = change === "Changed" && difference.added.length + difference.removed.length === 0;
    return same ? [] : [{ set: key, change, ...difference }];
  });
}

/** Those that rules fill have no entries of their own. */
function setsOf({ sets, counted = [] }: RuleSet): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ...sets.map(({ name, entries }) => [name, entries] as const),
    ...counted.map(({ name, create }) => [`${name} (${create})`, []] as const),
  ]);
}

function settingChanges(before: RuleSet, after: RuleSet): SettingChange[] {
  const settings = ({ sysctls }: RuleSet) => new Map(sysctls.map((one) => [one.key, settingText(one)]));
  return eachKey(settings(before), settings(after)).flatMap(({ key, was, is }) =>
    was === is ? [] : [{ key, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }],
  );
}

function settingText({ value, match, persist }: SysctlSetting): string {
  return `${match === "Contains" ? "with " : ""}${value}${persist ? "" : ", until the next boot"}`;
}

function textChange(before: string | undefined, after: string | undefined): ChangeKind | undefined {
  if (before === after) return undefined;
  if (before === undefined) return "Added";
  return after === undefined ? "Removed" : "Changed";
}
