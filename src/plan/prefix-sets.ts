/**
 * Arithmetic on sets of addresses, written as prefixes. Every function returns the normal form: sorted, disjoint and
 * aggregated, the one shortest list for a set of addresses, so that equal sets are equal lists.
 */
import { comparePrefixes, containsPrefix, halvePrefix, joinPrefixes, type Prefix } from "./prefix.ts";

export function aggregatePrefixes(prefixes: readonly Prefix[]): Prefix[] {
  const normal: Prefix[] = [];
  for (const prefix of sortPrefixes(prefixes)) {
    const before = normal.at(-1);
    if (before !== undefined && containsPrefix(before, prefix)) continue;
    let last = prefix;
    // A join may complete the pair before it, and so on upwards.
    for (let low = normal.at(-1); low !== undefined; low = normal.at(-1)) {
      const joined = joinPrefixes(low, last);
      if (joined === undefined) break;
      normal.pop();
      last = joined;
    }
    normal.push(last);
  }
  return normal;
}

/** The addresses of `prefixes` that are in none of `holes`, exactly. */
export function subtractPrefixes(prefixes: readonly Prefix[], holes: readonly Prefix[]): Prefix[] {
  const normalHoles = aggregatePrefixes(holes);
  let next = 0;
  return aggregatePrefixes(prefixes).flatMap((prefix) => {
    let hole = normalHoles[next];
    while (hole !== undefined && comparePrefixes(hole, prefix) < 0 && !containsPrefix(hole, prefix)) {
      hole = normalHoles[++next];
    }
    if (hole !== undefined && containsPrefix(hole, prefix)) return [];
    const first = next;
    while (hole !== undefined && containsPrefix(prefix, hole)) hole = normalHoles[++next];
    return carve(prefix, normalHoles.slice(first, next));
  });
}

/** `prefix` without `holes`, all of which lie inside it. Halves that hold no hole stay whole, so the result is minimal. */
function carve(prefix: Prefix, holes: readonly Prefix[]): Prefix[] {
  if (holes.length === 0) return [prefix];
  if (holes[0]?.length === prefix.length) return [];
  return halvePrefix(prefix).flatMap((half) =>
    carve(
      half,
      holes.filter((hole) => containsPrefix(half, hole)),
    ),
  );
}

/**
 * By `comparePrefixes`. An IPv4 prefix fits one number, and a typed array of those sorts several times faster than
 * objects do, which tells at 100,000.
 */
function sortPrefixes(prefixes: readonly Prefix[]): Prefix[] {
  const keys = prefixes.filter(({ family }) => family === 4).map(({ words, length }) => (words[0] ?? 0) * 64 + length);
  const v4 = Array.from(Float64Array.from(keys).sort(), (key): Prefix => {
    return { family: 4, words: [Math.floor(key / 64)], length: key % 64 };
  });
  return [...v4, ...prefixes.filter(({ family }) => family === 6).sort(comparePrefixes)];
}
