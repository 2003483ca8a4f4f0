import type { Family } from "../plan/node-plan.ts";
import { type Chain, type Hook, TABLE_NAMES, type Table, type TableName } from "../render/types.ts";
import { findEvasion, type HookPlace } from "./hook-evasion.ts";
import type { HookEvasion } from "./kernel.ts";
import { isOurChain, isTagged } from "./ownership.ts";
import type { PrintedForms } from "./printed-forms.ts";
import type { SavedChains, SavedTables } from "./saved-rules.ts";

/** One of our chains, or our hooks in another's chain, that is not as desired. */
export interface Mismatch {
  readonly place: string;
  readonly rendered: readonly string[];
  /** What is there, where it could be the rendered rules in another form; undefined where it cannot be. */
  readonly printed: readonly string[] | undefined;
  readonly difference: string;
}

export interface RulesPlan {
  readonly mismatches: readonly Mismatch[];
  /** Hooks of ours that new connections get past. */
  readonly evasions: readonly HookEvasion[];
  /** Input of `iptables-restore --noflush`, which commits each table as a whole; undefined: nothing to write. */
  readonly restore: string | undefined;
}

/**
 * What makes one family's tables match. Goals, in this order:
 *  1. nothing that is not ours is named (`-D` by text, never by number: others may write between our save and our restore);
 *  2. a chain that is right is not named either, so its counters keep counting and its limits their state;
 *  3. one transaction a table: old rules until it commits, new ones after;
 *  4. one process for all tables;
 *  5. rules of others may stand ahead of ours where they let no new connection past; where they do, ours come to the
 *     head, unless the place is `ceded`: whoever else wants it would take it again.
 */
export function planRules(
  family: Family,
  desired: readonly Table[],
  saved: SavedTables,
  { forms, addresses, ceded }: RulesContext,
): RulesPlan {
  const plans = TABLE_NAMES.map((table) => {
    const wanted = desired.find(({ name }) => name === table);
    const evasions = (wanted?.hooks ?? []).flatMap(({ chain, judges }): HookEvasion[] => {
      const evasion = findEvasion(saved, { table, chain, judges, addresses });
      return evasion === undefined ? [] : [{ place: placeOf(family, table, chain), ...evasion }];
    });
    const displaced = evasions.filter(({ place }) => !ceded(place));
    return { ...planTable(family, table, wanted, saved[table], forms, displaced), evasions };
  });
  const restores = plans.flatMap(({ restore }) => restore ?? []);
  return {
    mismatches: plans.flatMap(({ mismatches }) => mismatches),
    evasions: plans.flatMap(({ evasions }) => evasions),
    restore: restores.length === 0 ? undefined : restores.join(""),
  };
}

export interface RulesContext {
  readonly forms: PrintedForms;
  /** Entries of the desired sets. */
  readonly addresses: HookPlace["addresses"];
  readonly ceded: (place: string) => boolean;
}

function planTable(
  family: Family,
  table: TableName,
  desired: Table | undefined,
  saved: SavedChains,
  forms: PrintedForms,
  displaced: readonly HookEvasion[],
): Omit<RulesPlan, "evasions"> {
  const place = (chain: string) => placeOf(family, table, chain);
  const chains = mismatchedChains(place, desired?.chains ?? [], saved, forms);
  const hooks = mismatchedHooks(place, desired?.hooks ?? [], saved, forms, displaced);
  const wanted = new Set(desired?.chains.map(({ name }) => name));
  const stale = [...saved.keys()].filter((name) => isOurChain(name) && !wanted.has(name)).sort();
  const leftOver = stale.map((name) => ({
    place: place(name),
    rendered: [],
    printed: undefined,
    difference: `chain ${place(name)} left over`,
  }));
  const mismatches = [...chains, ...hooks, ...leftOver];
  if (mismatches.length === 0) return { mismatches, restore: undefined };
  const restore = [
    `*${table}`,
    ...chains.map(({ chain }) => `:${chain} - [0:0]`),
    ...hooks.flatMap(({ chain, tagged }) => tagged.map((rule) => `-D ${chain} ${rule}`)),
    ...chains.flatMap(({ chain, rendered }) => rendered.map((rule) => `-A ${chain} ${rule}`)),
    ...hooks.flatMap(({ chain, rendered }) => rendered.map((rule, index) => `-I ${chain} ${index + 1} ${rule}`)),
    ...stale.map((name) => `-F ${name}`),
    ...stale.map((name) => `-X ${name}`),
    "COMMIT",
  ];
  return { mismatches, restore: `${restore.join("\n")}\n` };
}

/** What is ours in saved tables, as desired ones: the goal of a roll-back. */
export function ourTables(family: Family, saved: SavedTables): Table[] {
  return TABLE_NAMES.map((name) => ourTable(family, name, saved[name]));
}

function ourTable(family: Family, table: TableName, saved: SavedChains): Table {
  const chains: Chain[] = [];
  const hooks: Hook[] = [];
  for (const [name, rules] of saved) {
    if (isOurChain(name)) chains.push({ name, rules });
    else if (rules.some(isTagged)) hooks.push({ chain: name, rules: rules.filter(isTagged) });
  }
  return { family, name: table, chains, hooks };
}

function mismatchedChains(place: Place, desired: readonly Chain[], saved: SavedChains, forms: PrintedForms) {
  return desired.flatMap(({ name, rules }) => {
    const printed = saved.get(name);
    const where = place(name);
    if (printed !== undefined && forms.same(where, rules, printed)) return [];
    const differing = rules.filter((rule, index) => rule !== printed?.[index]).length;
    const difference =
      printed === undefined
        ? `chain ${where} missing`
        : `chain ${where} ${printed.length} rules for ${rules.length}, ${differing} not as they should be`;
    return [{ chain: name, place: where, rendered: rules, printed, difference }];
  });
}

function mismatchedHooks(
  place: Place,
  desired: readonly Hook[],
  saved: SavedChains,
  forms: PrintedForms,
  displaced: readonly HookEvasion[],
) {
  const wanted = new Map(desired.map(({ chain, rules }) => [chain, rules]));
  const hooked = [...saved].filter(([name, rules]) => !isOurChain(name) && rules.some(isTagged)).map(([name]) => name);
  return [...new Set([...wanted.keys(), ...hooked])].flatMap((chain) => {
    const rendered = wanted.get(chain) ?? [];
    const tagged = (saved.get(chain) ?? []).filter(isTagged);
    const where = `hook ${place(chain)}`;
    const evasion = displaced.find((one) => one.place === place(chain));
    if (evasion === undefined && forms.same(where, rendered, tagged)) return [];
    const behind = evasion === undefined ? "" : `, behind a rule that accepts new connections: ${evasion.rule}`;
    const difference = `${where} ${tagged.length} of our rules for ${rendered.length}${behind}`;
    return [{ chain, tagged, place: where, rendered, printed: tagged, difference }];
  });
}

type Place = (chain: string) => string;

/** `PH-IN (v4)`, `filter OUTPUT (v6)`: mangle, where most is, goes without saying. */
function placeOf(family: Family, table: TableName, chain: string): string {
  return `${table === "mangle" ? "" : `${table} `}${chain} (v${family})`;
}
