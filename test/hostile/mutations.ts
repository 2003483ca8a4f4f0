import fc from "fast-check";
import { hostileValues, RawNumber } from "./hostile-values.ts";
import { fieldOf, type Path, pathText, replaceAt, type Site, sitesOf } from "./sites.ts";

/** An object of which one place was made hostile. */
export interface Mutation {
  /** Of the object before. */
  readonly kind: string;
  /** The place and the value put there, for people. */
  readonly what: string;
  /** As it goes over the wire. */
  readonly text: string;
  /** The value put there is a number in a form that JavaScript cannot tell from a whole one. */
  readonly fraction: boolean;
}

interface Kinded {
  readonly kind: string;
}

/** The object with its long lists cut: the place counts, not how often it is there. */
export function thinned(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(thinned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, thinned(member)]));
}

/**
 * Mutations of each field that some object has, so that a new field is covered by its samples. Of each field the smallest
 * object that has it is taken. The same seed gives the same mutations.
 */
export function mutations(
  objects: readonly Kinded[],
  { seed, perField, spares = () => false }: { seed: number; perField: number; spares?: (path: Path) => boolean },
): Mutation[] {
  const bySize = objects.toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length);
  const fields = new Map<string, Site & { readonly object: Kinded }>();
  for (const object of bySize) {
    for (const site of sitesOf(object)) {
      const field = `${object.kind} ${fieldOf(site.path)}`;
      if (!fields.has(field) && !spares(site.path)) fields.set(field, { object, ...site });
    }
  }
  return [...fields.values()].flatMap(({ object, path, value }, index) => {
    const { aimed, others } = hostileValues(value);
    const near = shuffled(aimed, seed + index).slice(0, perField);
    const far = shuffled(others, seed + index).slice(0, Math.ceil(perField / 2));
    return [...near, ...far].map((hostile) => mutation(object, path, hostile));
  });
}

const MARK = "raw number here";

function mutation(object: Kinded, path: Path, hostile: unknown): Mutation {
  const raw = hostile instanceof RawNumber;
  const text = JSON.stringify(replaceAt(object, path, raw ? MARK : hostile)) ?? "null";
  const shown = (raw ? hostile.text : (JSON.stringify(hostile) ?? "absent")).slice(0, 200);
  return {
    kind: object.kind,
    what: `${pathText(path)}: ${shown}`,
    text: raw ? text.replace(`"${MARK}"`, hostile.text) : text,
    fraction: raw,
  };
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const [one = []] = fc.sample(fc.shuffledSubarray([...items], { minLength: items.length }), { seed, numRuns: 1 });
  return one;
}
