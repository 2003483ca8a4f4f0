import type { Chain, CountedSet, Hook } from "./types.ts";

/** The chains of one observer in one table, the hooks that lead there, and the sets that they fill. */
export interface Observer {
  readonly chains: readonly Chain[];
  readonly hooks: readonly Hook[];
  readonly sets: readonly CountedSet[];
}

export const NO_OBSERVER: Observer = { chains: [], hooks: [], sets: [] };

/** Only what a packet can come to, and sets that a rule names: an entry may be in scope nowhere. Nothing to count: nothing. */
export function trimmed({ chains, hooks, sets }: Observer): Observer {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  const reached = new Set(hooks.flatMap(({ rules }) => rules.flatMap(targetsOf)));
  // A Set gives what is added to it while it is walked.
  for (const name of reached) for (const to of (byName.get(name)?.rules ?? []).flatMap(targetsOf)) reached.add(to);
  const left = chains.filter(({ name }) => reached.has(name));
  const text = left.flatMap(({ rules }) => rules).join("\n");
  if (!/--comment "[^"]+" -j SET /.test(text)) return NO_OBSERVER;
  return { chains: left, hooks, sets: sets.filter(({ name }) => text.includes(`--add-set ${name} `)) };
}

function targetsOf(rule: string): string[] {
  const target = /(?:^| )-[jg] (PH-\S+)$/.exec(rule)?.[1];
  return target === undefined ? [] : [target];
}
