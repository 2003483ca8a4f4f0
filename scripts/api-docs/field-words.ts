import type { SchemaNode, SchemaRule } from "./schema-node.ts";
import type { SharedType } from "./shared-types.ts";

/** The type under which a node is described elsewhere, if it is. */
export type Named = (node: SchemaNode) => SharedType | undefined;

/** Patterns longer than this tell a reader less than the description does. */
const PATTERN_MAX = 50;
/** What every whole number of 32 bits is within: nothing to show. */
const INT32 = 2 ** 31;

/** `[]Peer`, `map[string]string`, `int or string`; `named` knows the types that are described once for all. */
export function typeOf(node: SchemaNode, named: Named): string {
  const name = named(node)?.name;
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  if (node["x-kubernetes-int-or-string"] === true) return "int or string";
  if (node.items !== undefined) return `list of ${typeOf(node.items, named)}`;
  if (node.additionalProperties !== undefined) return `map to ${typeOf(node.additionalProperties, named)}`;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  return node.format === "date-time" ? "time" : (node.type ?? "any");
}

/** Bounds and rules, a sentence each. `inherited` are rules of objects around it that name this field. */
export function constraintsOf(node: SchemaNode, named: Named, inherited: readonly SchemaRule[] = []): string[] {
  const type = named(node);
  // What holds for the type wherever it stands is said there.
  if (type !== undefined) return messages([...rulesOf(node).filter((rule) => !isOf(type, rule)), ...inherited]);
  const { items, additionalProperties } = node;
  const element = items ?? additionalProperties;
  const keys = node["x-kubernetes-list-map-keys"];
  const opaque = element === undefined || element.properties !== undefined || named(element) !== undefined;
  const below = opaque ? [] : constraintsOf(element, named);
  return [
    ...countWords(node, items === undefined ? "keys" : "items"),
    ...(keys === undefined ? [] : [`unique by \`${keys.join("`, `")}\``]),
    ...valueWords(node),
    ...below.map((words) => `each: ${words}`),
    ...[...rulesOf(node).filter(({ fieldPath }) => fieldPath === undefined), ...inherited].map(
      ({ message }) => message,
    ),
  ];
}

/** The rules that say more than that null is no value. */
export function rulesOf(node: SchemaNode): readonly SchemaRule[] {
  return (node["x-kubernetes-validations"] ?? []).filter(({ message }) => !message.includes("null is no value"));
}

function isOf({ node }: SharedType, { message }: SchemaRule): boolean {
  return rulesOf(node).some((rule) => rule.message === message);
}

function messages(rules: readonly SchemaRule[]): string[] {
  return rules.map(({ message }) => message);
}

function countWords({ minItems, maxItems, maxProperties }: SchemaNode, what: string): string[] {
  return between(minItems === 0 ? undefined : minItems, maxItems ?? maxProperties, ` ${what}`);
}

function valueWords(node: SchemaNode): string[] {
  const { minimum, maximum, minLength, maxLength, pattern } = node;
  const shown = pattern !== undefined && pattern.length <= PATTERN_MAX;
  return [
    ...between(
      minimum === undefined || minimum <= -INT32 ? undefined : minimum,
      maximum === undefined || maximum >= INT32 - 1 ? undefined : maximum,
      "",
    ),
    ...(node.enum === undefined && node.format !== "date-time" ? between(minLength, maxLength, " characters") : []),
    ...(shown ? [`matches \`${pattern.replaceAll("|", "\\|")}\``] : []),
  ];
}

function between(low: number | undefined, high: number | undefined, what: string): string[] {
  if (low !== undefined && high !== undefined) return [`${low} to ${high}${what}`];
  if (low !== undefined) return [`at least ${low}${what}`];
  return high === undefined ? [] : [`at most ${high}${what}`];
}
