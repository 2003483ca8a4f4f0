import type { ChangeKind } from "../preview/list-change.ts";
import type { FieldChange, PolicyChange } from "../preview/policy-changes.ts";
import type { ChainChange, RulesChange, SetChange } from "../preview/rules-changes.ts";
import type { NodesChange } from "../preview/types.ts";
import { onNodes } from "./preview-words.ts";

const SIGNS: Readonly<Record<ChangeKind, string>> = { Added: "+", Removed: "-", Changed: "~" };
/** Of a list, for people: the rest is in the JSON. */
const SHOWN = 8;

/** What changes on some nodes, as indented lines; with `rules`, rule by rule. */
export function changeLines({ nodes, policies, rules, warnings }: NodesChange, options: { rules: boolean }): string[] {
  return [
    `${onNodes(nodes)}:`,
    ...policies.flatMap(policyLines).map(indented),
    ...settingLines(rules).map(indented),
    ...(options.rules ? rawLines(rules) : [summary(rules)]).map(indented),
    ...warnings.map((warning) => indented(`note: ${warning}`)),
  ];
}

function indented(line: string): string {
  return `  ${line}`;
}

function policyLines({ policy, change, fields }: PolicyChange): string[] {
  const detail = change === "Removed" ? [] : fields.map((field) => indented(fieldLine(field)));
  return [`${SIGNS[change]} policy ${policy}`, ...detail];
}

function fieldLine({ path, change, added, removed }: FieldChange): string {
  if (change !== "Changed") return `${SIGNS[change]} ${path}: ${shorten(change === "Added" ? added : removed)}`;
  if (added.length === 1 && removed.length === 1) return `~ ${path}: ${removed[0]} -> ${added[0]}`;
  const parts = [
    ...(added.length === 0 ? [] : [`+ ${shorten(added)}`]),
    ...(removed.length === 0 ? [] : [`- ${shorten(removed)}`]),
  ];
  return `~ ${path}: ${parts.join("  ")}`;
}

function shorten(items: readonly string[]): string {
  const shown = items.slice(0, SHOWN).join(", ");
  return items.length > SHOWN ? `${shown}, and ${items.length - SHOWN} more` : shown;
}

function settingLines({ settings }: RulesChange): string[] {
  return settings.map(({ key, before, after }) => {
    if (before === undefined) return `+ ${key} = ${after}`;
    if (after === undefined) return `- ${key} = ${before}: what it was before comes back`;
    return `~ ${key} = ${before} -> ${after}`;
  });
}

/** `chains: 8 added, 1 changed (PH-IN); sets: 2 added`. */
function summary({ chains, sets, rejectTable }: RulesChange): string {
  const parts = [
    counted("chains", chains, ({ chain }) => chain),
    counted("sets", sets, ({ set }) => set),
    ...(rejectTable === undefined ? [] : [`table inet porthardening ${rejectTable.toLowerCase()}`]),
  ].filter((part) => part !== "");
  return parts.length === 0 ? "rules: no difference" : `rules: ${parts.join("; ")}`;
}

function counted<T extends { readonly change: ChangeKind }>(
  what: string,
  items: readonly T[],
  nameOf: (item: T) => string,
): string {
  const parts = (["Added", "Changed", "Removed"] as const).flatMap((kind) => {
    const names = items.filter(({ change }) => change === kind).map(nameOf);
    if (names.length === 0) return [];
    const named = kind === "Changed" ? ` (${shorten([...new Set(names)])})` : "";
    return [`${names.length} ${kind.toLowerCase()}${named}`];
  });
  return parts.length === 0 ? "" : `${what}: ${parts.join(", ")}`;
}

function rawLines({ chains, sets, rejectTable }: RulesChange): string[] {
  return [
    ...sets.flatMap(setLines),
    ...chains.flatMap(chainLines),
    ...(rejectTable === undefined ? [] : [`${SIGNS[rejectTable]} table inet porthardening`]),
  ];
}

function setLines({ set, change, added, removed }: SetChange): string[] {
  return [`${SIGNS[change]} set ${set}`, ...differences({ added, removed })];
}

function chainLines({ family, table, chain, change, added, removed }: ChainChange): string[] {
  const order = added.length + removed.length === 0 ? " (in another order)" : "";
  return [`${SIGNS[change]} chain ${table} ${chain} (v${family})${order}`, ...differences({ added, removed })];
}

function differences({ added, removed }: Pick<ChainChange, "added" | "removed">): string[] {
  return [...removed.map((line) => `  - ${line}`), ...added.map((line) => `  + ${line}`)];
}
