/** What came to a list and what left it. */
export interface ListChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** As often as it is there. Both empty: the same items, perhaps in another order. */
export function listChange(before: readonly string[], after: readonly string[]): ListChange {
  return { added: without(after, before), removed: without(before, after) };
}

function without(items: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

/** Whether something came, went, or is there in another form. */
export type ChangeKind = "Added" | "Removed" | "Changed";

/** Every key of either side, in order, with the values of both. */
export function eachKey<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): { readonly key: string; readonly change: ChangeKind; readonly was: T | undefined; readonly is: T | undefined }[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.map((key) => {
    const [was, is] = [before.get(key), after.get(key)];
    return { key, change: was === undefined ? "Added" : is === undefined ? "Removed" : "Changed", was, is };
  });
}
