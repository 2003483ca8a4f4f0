import { isMap, isScalar, type Node, parseDocument, type YAMLMap } from "yaml";

/** A value of values.yaml with its description. */
export interface DocumentedValue {
  /** `agent.healthPort` */
  readonly path: string;
  readonly description: string;
  readonly value: unknown;
}

/** The values that have a comment `# -- ...`, in the order of the file. Throws where a leaf has none. */
export function documentedValues(text: string): readonly DocumentedValue[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error("values.yaml holds no map");
  return within(document.contents, "");
}

function within(map: YAMLMap, prefix: string): readonly DocumentedValue[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error(`${prefix}: a key that is no word`);
    const path = `${prefix}${String(key.value)}`;
    // The parser gives what stands ahead of the first key to the map.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? "";
    const description = /(?:^|\n) -- ([^]*)$/.exec(comment)?.[1]?.replace(/\s*\n\s*/g, " ");
    if (description !== undefined) return [{ path, description, value: (value as Node).toJSON() as unknown }];
    if (isMap(value) && value.items.length > 0) return within(value, `${path}.`);
    throw new Error(`${path} of values.yaml has no description: a comment that begins with "# -- "`);
  });
}
