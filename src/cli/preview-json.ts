import type { ChainChange, SetChange } from "../preview/rules-changes.ts";
import type { Preview } from "../preview/types.ts";

/** Changes whenever a member is renamed or means something else; members may be added. */
const FORMAT = 1;

/** The preview in the form that docs/operations.md describes; with `rules`, the lines themselves beside their number. */
export function previewJson(preview: Preview, { rules, notes }: { rules: boolean; notes: readonly string[] }): string {
  const { outcome, changes, ...rest } = preview;
  const counted = ({ added, removed, ...change }: ChainChange | SetChange) => ({
    ...change,
    added: added.length,
    removed: removed.length,
    ...(rules && { lines: { added, removed } }),
  });
  const shown = changes.map(({ rules: { chains, sets, ...others }, ...change }) => {
    return { ...change, chains: chains.map(counted), sets: sets.map(counted), ...others };
  });
  const json = { format: FORMAT, outcome, ...rest, changes: shown, notes };
  return `${JSON.stringify(json, (_key, value: unknown) => value ?? null, 2)}\n`;
}
