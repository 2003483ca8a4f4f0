import type { ObjectKey, Store } from "./types.ts";

/** One object as it is kept: what `parse` made of it, and at which version. */
export interface Entry<T> {
  readonly key: ObjectKey;
  readonly resourceVersion: string;
  /** undefined: not to be kept. */
  readonly value: T | undefined;
}

export interface Change<T> {
  readonly key: ObjectKey;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** What a step of the reflector does to the store. */
export type StoreUpdate<T> =
  | { readonly type: "Replace"; readonly entries: readonly Entry<T>[] }
  | { readonly type: "Set"; readonly entry: Entry<T> }
  | { readonly type: "Remove"; readonly key: ObjectKey };

export interface ObjectStore<T> extends Store<T> {
  entry(key: ObjectKey): Entry<T> | undefined;
  /** Done as a whole before it returns; gives each difference once. */
  update(update: StoreUpdate<T>): Change<T>[];
}

export function objectStore<T>(): ObjectStore<T> {
  let entries = new Map<string, Entry<T>>();
  let synced = false;

  function set(entry: Entry<T>) {
    if (entry.value === undefined) entries.delete(textOf(entry.key));
    else entries.set(textOf(entry.key), entry);
  }

  return {
    get synced() {
      return synced;
    },
    entry: (key) => entries.get(textOf(key)),
    get: (key) => entries.get(textOf(key))?.value,
    list: () => [...entries.values()].flatMap(({ value }) => (value === undefined ? [] : [value])),
    update(update) {
      const old = entries;
      switch (update.type) {
        case "Set": {
          const change = changeOf(update.entry.key, old.get(textOf(update.entry.key)), update.entry);
          set(update.entry);
          return change;
        }
        case "Remove": {
          const change = changeOf(update.key, old.get(textOf(update.key)), undefined);
          old.delete(textOf(update.key));
          return change;
        }
        case "Replace": {
          entries = new Map();
          update.entries.forEach(set);
          synced = true;
          const removed = [...old].filter(([text]) => !entries.has(text));
          return [
            ...removed.flatMap(([, entry]) => changeOf(entry.key, entry, undefined)),
            ...[...entries].flatMap(([text, entry]) => changeOf(entry.key, old.get(text), entry)),
          ];
        }
      }
    },
  };
}

/** The same version is the same object: a resourceVersion is never given twice. */
function changeOf<T>(key: ObjectKey, from: Entry<T> | undefined, to: Entry<T> | undefined): Change<T>[] {
  const same = from?.resourceVersion === to?.resourceVersion || (from?.value === undefined && to?.value === undefined);
  return same ? [] : [{ key, before: from?.value, after: to?.value }];
}

function textOf({ namespace, name }: ObjectKey): string {
  return `${namespace ?? ""}/${name}`;
}
