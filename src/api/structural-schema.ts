import * as z from "zod";

/** A JSON object on its way into a CRD. */
export type JsonObject = { [key: string]: unknown };

/** A node of a JSON schema as zod emits it, as far as it is looked at here. */
interface Node extends JsonObject {
  type?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Node>;
  required?: string[];
  additionalProperties?: Node | false;
  items?: Node;
  "x-kubernetes-validations"?: JsonObject[];
}

/**
 * The API server takes `from:` with nothing behind it for an absent field, which would mean everybody. So null is kept in
 * the optional fields of what users write (closed objects), to be refused by a rule. To CEL such a field is absent (`has`
 * is false) and yet counted by `size`. (`kubectl apply` without --server-side removes nulls before it sends: there, null
 * stays absent.)
 */
function refuseNulls(node: Node): void {
  const properties = Object.entries(node.properties ?? {});
  const optional = properties.filter(
    ([name, { default: value }]) => !node.required?.includes(name) && value === undefined,
  );
  if (optional.length === 0) return;
  for (const [, property] of optional) property["nullable"] = true;
  const names = optional.map(([name]) => name);
  const always = properties.length - optional.length;
  const present = `[${names.map((name) => `has(self.${name})`).join(", ")}].filter(x, x).size()`;
  const rule = {
    rule: `size(dyn(self)) == ${always === 0 ? "" : `${always} + `}${present}`,
    message: `${names.join(", ")}: null is no value; give one, or leave the field out`,
  };
  node["x-kubernetes-validations"] = [rule, ...(node["x-kubernetes-validations"] ?? [])];
}

/**
 * A map's value of null would be pruned, and with it what was asked: `matchLabels: {role: null}` would select every node.
 * So it is kept, as above, and refused.
 */
function refuseNullValues(node: Node, value: Node): void {
  value["nullable"] = true;
  const rule = {
    rule: "self.all(k, dyn(self[k]) != null)",
    message: "null is no value; give each key one, or leave the key out",
  };
  node["x-kubernetes-validations"] = [rule, ...(node["x-kubernetes-validations"] ?? [])];
}

/** zod gives whole numbers without a bound that of doubles (2^53): nothing to show. */
function boundIntegers(node: Node): void {
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  node.format = node.maximum !== undefined && node.maximum < 2 ** 31 ? "int32" : "int64";
}

/** Changes a node and all below it from what zod emits to what a structural schema may hold. */
function makeStructural(node: Node): Node {
  if (node.additionalProperties === false) {
    delete node.additionalProperties;
    refuseNulls(node);
  }
  if (node.additionalProperties) refuseNullValues(node, node.additionalProperties);
  if (node["x-kubernetes-int-or-string"] === true) node["anyOf"] = [{ type: "integer" }, { type: "string" }];
  if (node.type === "integer") boundIntegers(node);
  if (node.type === "array") node["x-kubernetes-list-type"] ??= "atomic";
  // zod's own pattern of a time is long and narrower than the format.
  if (node.format === "date-time") delete node["pattern"];
  for (const property of Object.values(node.properties ?? {})) makeStructural(property);
  if (node.additionalProperties) makeStructural(node.additionalProperties);
  if (node.items) makeStructural(node.items);
  return node;
}

/**
 * The structural schema (apiextensions/v1) of what `schema` accepts. Refuses null in its closed objects, the way zod does.
 */
export function structuralSchema(schema: z.ZodType): JsonObject {
  const generated = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  });
  return makeStructural(generated as Node);
}
