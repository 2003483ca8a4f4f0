import { conditionSchema } from "../../src/api/condition.ts";
import { interfacesSchema } from "../../src/api/interfaces.ts";
import { labelSelectorSchema } from "../../src/api/label-selector.ts";
import { peerSchema } from "../../src/api/peers.ts";
import { portSchema } from "../../src/api/ports.ts";
import { structuralSchema } from "../../src/api/structural-schema.ts";
import type { SchemaNode } from "./schema-node.ts";

/** A type that is described once; the same object in all places. */
export interface SharedType {
  readonly name: string;
  readonly node: SchemaNode;
}

/** What stands in several places and is described once. */
export const SHARED_TYPES: readonly SharedType[] = [
  { name: "Peer", node: structuralSchema(peerSchema) },
  { name: "Port", node: structuralSchema(portSchema) },
  { name: "LabelSelector", node: structuralSchema(labelSelectorSchema) },
  { name: "Interfaces", node: structuralSchema(interfacesSchema) },
  { name: "Condition", node: structuralSchema(conditionSchema) },
];

/** By its fields, or its pattern: description and further rules are those of the place where it stands. */
export function sharedTypeOf(node: SchemaNode): SharedType | undefined {
  if (node["x-kubernetes-int-or-string"] === true) return typeThat(({ pattern }) => pattern === node.pattern);
  if (node.properties === undefined) return undefined;
  const fields = JSON.stringify(node.properties);
  return typeThat(({ properties }) => JSON.stringify(properties) === fields);
}

function typeThat(fits: (node: SchemaNode) => boolean): SharedType | undefined {
  return SHARED_TYPES.find(({ node }) => fits(node));
}
