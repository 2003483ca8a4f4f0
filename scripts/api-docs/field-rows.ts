import { constraintsOf, type Named, rulesOf, typeOf } from "./field-words.ts";
import type { SchemaNode, SchemaRule } from "./schema-node.ts";

export interface FieldRow {
  /** Relative to where the table begins: `allow[].ports`. */
  readonly path: string;
  readonly type: string;
  /** `required`, the default, or empty. */
  readonly absent: string;
  readonly description: string;
  readonly constraints: readonly string[];
}

/** The fields of an object and of all below it, each ahead of its own; what has a name is not opened again. */
export function fieldRows(node: SchemaNode, named: Named, prefix = ""): readonly FieldRow[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inherited = rulesOf(node).filter(({ fieldPath }) => fieldPath === `.${name}`);
    const required = node.required?.includes(name) === true;
    return [rowOf(path, field, { required, inherited, named }), ...rowsBelow(field, named, path)];
  });
}

function rowOf(
  path: string,
  field: SchemaNode,
  about: { readonly required: boolean; readonly inherited: readonly SchemaRule[]; readonly named: Named },
): FieldRow {
  const value = field.default === undefined ? "" : `\`${JSON.stringify(field.default)}\``;
  return {
    path,
    type: typeOf(field, about.named),
    absent: about.required ? "required" : value,
    description: field.description ?? "",
    constraints: constraintsOf(field, about.named, about.inherited),
  };
}

function rowsBelow(field: SchemaNode, named: Named, path: string): readonly FieldRow[] {
  const element = field.items ?? field.additionalProperties;
  if (element !== undefined) return named(element) === undefined ? rowsBelow(element, named, `${path}[]`) : [];
  return named(field) === undefined ? fieldRows(field, named, `${path}.`) : [];
}
