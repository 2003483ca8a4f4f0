/** An OpenAPI schema, as far as size goes. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** The largest value that a schema of maps, lists, texts and numbers takes. Texts are ASCII and free of what JSON escapes. */
export function fullest(schema: Schema): unknown {
  const { type, properties = {}, items, maxItems, maximum } = schema;
  if (type === "object") {
    return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, fullest(member)]));
  }
  if (type === "array" && items !== undefined && maxItems !== undefined) {
    const keys = schema["x-kubernetes-list-map-keys"] ?? [];
    return Array.from({ length: maxItems }, (_, index) => numbered(fullest(items), keys, index));
  }
  if (type === "integer") return maximum ?? Number.MAX_SAFE_INTEGER;
  if (type === "boolean") return false;
  if (type === "string") return longestText(schema);
  throw new Error(`no largest value of ${JSON.stringify(schema)}`);
}

function longestText({ enum: words, format, pattern, maxLength }: Schema): string {
  if (words !== undefined) return words.toSorted((a, b) => b.length - a.length)[0] ?? "";
  if (format === "date-time") return "2026-11-23T03:00:00.000Z";
  if (maxLength === undefined) throw new Error("a text without a bound");
  // Of letters that hexadecimal digits, names and words have in common.
  const text = "a".repeat(maxLength);
  if (pattern !== undefined && !new RegExp(pattern).test(text)) throw new Error(`${pattern} takes no ${text}`);
  return text;
}

/** The item with its number in the texts that tell it from others, no longer than before. */
function numbered(item: unknown, keys: readonly string[], index: number): unknown {
  const text = (key: string) => `${(item as Readonly<Record<string, string>>)[key]}`;
  const names = keys.map((key) => [key, `${text(key).slice(0, -3)}${String(index).padStart(3, "0")}`]);
  return names.length === 0 ? item : { ...(item as object), ...Object.fromEntries(names) };
}
