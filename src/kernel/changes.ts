import { createHash } from "node:crypto";
import type { AddressSet, Family } from "../plan/node-plan.ts";
import type { RuleSet } from "../render/types.ts";
import type { HookEvasion } from "./kernel.ts";
import { type NftTablePlan, planNftTable } from "./nft-table.ts";
import type { Observation } from "./observe.ts";
import { SWAP_SET } from "./ownership.ts";
import type { FileChange } from "./persistence.ts";
import type { PrintedForms } from "./printed-forms.ts";
import { ourTables, planRules, type RulesPlan } from "./rules-plan.ts";
import { isCountedType } from "./saved-sets.ts";
import { planSets, type SetsPlan } from "./sets-plan.ts";
import { printSysctlFile } from "./sysctl-file.ts";
import { planSysctls, type SysctlPlan } from "./sysctl-plan.ts";

export const FAMILIES: readonly Family[] = [4, 6];

/** What there is to write, all of it; pure data. */
export interface Changes {
  readonly rules: Readonly<Record<Family, RulesPlan>>;
  readonly nftTable: NftTablePlan;
  readonly sets: SetsPlan;
  readonly sysctls: SysctlPlan;
  /** The originals that are on disk now. */
  readonly originals: SysctlPlan["originalsBefore"];
  readonly sysctlFile: FileChange;
}

/**
 * `ceded` hooks stay behind rules of others.
 * @throws {SysctlError} where the kernel does not have a desired key
 */
export function planChanges(
  desired: RuleSet,
  found: Observation,
  forms: PrintedForms,
  ceded: (place: string) => boolean = () => false,
): Changes {
  const sysctls = planSysctls(desired.sysctls, found.sysctls, found.originals);
  return {
    rules: planBothFamilies(desired, found, forms, ceded),
    nftTable: planNftTable(desired.nftTable, found.nftTable, forms),
    sets: planSets(desired.sets, desired.counted ?? [], found.sets),
    sysctls,
    originals: found.originals,
    sysctlFile: { now: found.sysctlFile, goal: printSysctlFile(sysctls.persisted) },
  };
}

/** What brings the node from `now` back to `before`; `keys` are the sysctls that may have been written since. */
export function planRollBack(
  before: Observation,
  now: Observation,
  keys: readonly string[],
  forms: PrintedForms,
): Changes {
  const tables = FAMILIES.flatMap((family) => ourTables(family, before.tables[family]));
  const kept = [...before.sets.values()].filter(({ name }) => !name.startsWith(SWAP_SET));
  const listed = kept.filter(({ type }) => !isCountedType(type));
  const sets = listed.map(({ name, family, type, entries = [] }): AddressSet => {
    return { name, family, type: type === "hash:ip,port,ip" ? type : "hash:net", entries };
  });
  const counted = kept.filter(({ type }) => isCountedType(type));
  const goal: RuleSet = { tables, sets, sysctls: [] };
  const writes = keys.flatMap((key) => {
    const value = before.sysctls.get(key);
    return value === undefined || value === now.sysctls.get(key) ? [] : [{ key, value }];
  });
  return {
    rules: planBothFamilies(goal, now, forms, () => true),
    nftTable: planNftTable(before.nftTable, now.nftTable, forms),
    sets: planSets(sets, counted, now.sets),
    sysctls: {
      differences: [],
      writes,
      persisted: [],
      originalsBefore: now.originals,
      originalsAfter: before.originals,
    },
    originals: now.originals,
    sysctlFile: { now: now.sysctlFile, goal: before.sysctlFile },
  };
}

export function differencesOf({ rules, nftTable, sets, sysctls, sysctlFile }: Changes): string[] {
  const file =
    sysctlFile.now === sysctlFile.goal ? [] : [`sysctl.d file ${describeFile(sysctlFile.now, sysctlFile.goal)}`];
  const ofRules = FAMILIES.flatMap((family) => rules[family].mismatches.map(({ difference }) => difference));
  return [...ofRules, ...[nftTable.difference ?? []].flat(), ...sets.differences, ...sysctls.differences, ...file];
}

/** Hooks of ours that new connections get past. */
export function evasionsOf({ rules }: Changes): HookEvasion[] {
  return FAMILIES.flatMap((family) => rules[family].evasions);
}

/** Over what was read back. The sets' entries are taken from `desired`: they were found equal, and the kernel's order is random. */
export function hashReadBack(desired: RuleSet, found: Observation): string {
  const hash = createHash("sha256");
  for (const family of FAMILIES) hash.update(JSON.stringify(ourTables(family, found.tables[family])));
  hash.update(JSON.stringify(found.nftTable ?? null));
  for (const set of [...desired.sets].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(JSON.stringify([set.name, set.family]));
    hash.update(set.entries.join("\n"));
  }
  for (const key of desired.sysctls.map((setting) => setting.key).sort())
    hash.update(JSON.stringify([key, found.sysctls.get(key)]));
  hash.update(JSON.stringify(found.sysctlFile ?? null));
  return hash.digest("hex").slice(0, 16);
}

function planBothFamilies(
  desired: RuleSet,
  found: Observation,
  forms: PrintedForms,
  ceded: (place: string) => boolean,
): Record<Family, RulesPlan> {
  const entries = new Map(desired.sets.map((set) => [set.name, set.entries]));
  const addresses = (name: string) => entries.get(name);
  const plan = (family: Family) =>
    planRules(
      family,
      desired.tables.filter((table) => table.family === family),
      found.tables[family],
      { forms, addresses, ceded },
    );
  return { 4: plan(4), 6: plan(6) };
}

function describeFile(now: string | undefined, goal: string | undefined): string {
  if (now === undefined) return "missing";
  return goal === undefined ? "left over" : "has another content";
}
