import { type Path, replaceAt } from "./sites.ts";

/** An OpenAPI schema, as far as bounds go. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly maximum?: number;
}

/** A bound of a schema, met and passed by one in an object that is good otherwise. */
export interface Bound {
  readonly path: Path;
  readonly atMost: unknown;
  readonly oneMore: unknown;
}

/** The bounds on lists, maps and numbers that `object` has something for. */
export function boundsOf(schema: Schema, object: unknown): Bound[] {
  return membersOf(schema, object).flatMap(({ path, schema: own, value }) => {
    const bound = (sized: (size: number) => unknown, size: number): Bound[] => [
      { path, atMost: replaceAt(object, path, sized(size)), oneMore: replaceAt(object, path, sized(size + 1)) },
    ];
    if (Array.isArray(value) && own.maxItems !== undefined && value.length > 0)
      return bound(copies(value), own.maxItems);
    if (own.maxProperties !== undefined) return bound(keys(value), own.maxProperties);
    return typeof value === "number" && own.maximum !== undefined ? bound((size) => size, own.maximum) : [];
  });
}

interface Member {
  readonly path: Path;
  readonly schema: Schema;
  readonly value: unknown;
}

function membersOf(schema: Schema, value: unknown, path: Path = []): Member[] {
  const inner = (key: string | number, below: Schema | undefined, member: unknown) =>
    below === undefined ? [] : membersOf(below, member, [...path, key]);
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [
    { path, schema, value },
    ...(Array.isArray(value)
      ? value.slice(0, 1).flatMap((item) => inner(0, schema.items, item))
      : members.flatMap(([key, member]) => inner(key, schema.properties?.[key], member))),
  ];
}

/** The first item again and again; where it has a name, each with its own. */
const copies =
  ([first]: readonly unknown[]) =>
  (size: number) =>
    Array.from({ length: size }, (_, index) =>
      typeof first === "object" && first !== null && "name" in first ? { ...first, name: `copy-${index}` } : first,
    );

/** The first value under many keys, of a form that both labels and sysctls have. */
const keys = (map: unknown) => (size: number) =>
  Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`net.key${index}`, Object.values(map as object)[0] ?? "1"]),
  );
