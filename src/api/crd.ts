import * as z from "zod";
import { addressGroupSchema, addressGroupSpecSchema } from "./address-group.ts";
import {
  ADDRESS_GROUP_KIND,
  ADDRESS_GROUP_PLURAL,
  API_GROUP,
  API_VERSION_NAME,
  NODE_STATE_KIND,
  NODE_STATE_PLURAL,
  POD_RANGE_KIND,
  POD_RANGE_PLURAL,
  POLICY_KIND,
  POLICY_PLURAL,
} from "./group.ts";
import { nodeStateSchema, nodeStateSpecSchema, nodeStateStatusSchema } from "./node-state.ts";
import { podRangeSchema, podRangeSpecSchema } from "./pod-range.ts";
import { policySchema, policySpecSchema, policyStatusSchema } from "./policy.ts";
import {
  ADDRESS_GROUP_COLUMNS,
  type Column,
  NODE_STATE_COLUMNS,
  POD_RANGE_COLUMNS,
  POLICY_COLUMNS,
} from "./printer-columns.ts";
import { type JsonObject, structuralSchema } from "./structural-schema.ts";

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  /** Schema of the whole object: its description and its rules. */
  readonly schema: z.ZodType;
  readonly spec: z.ZodType;
  readonly status?: z.ZodType;
  readonly columns: readonly Column[];
}

const KINDS: readonly Kind[] = [
  {
    kind: POLICY_KIND,
    plural: POLICY_PLURAL,
    shortName: "phpol",
    schema: policySchema,
    spec: policySpecSchema,
    status: policyStatusSchema,
    columns: POLICY_COLUMNS,
  },
  {
    kind: NODE_STATE_KIND,
    plural: NODE_STATE_PLURAL,
    shortName: "phnode",
    schema: nodeStateSchema,
    spec: nodeStateSpecSchema,
    status: nodeStateStatusSchema,
    columns: NODE_STATE_COLUMNS,
  },
  {
    kind: ADDRESS_GROUP_KIND,
    plural: ADDRESS_GROUP_PLURAL,
    shortName: "phag",
    schema: addressGroupSchema,
    spec: addressGroupSpecSchema,
    columns: ADDRESS_GROUP_COLUMNS,
  },
  {
    kind: POD_RANGE_KIND,
    plural: POD_RANGE_PLURAL,
    shortName: "phpods",
    schema: podRangeSchema,
    spec: podRangeSpecSchema,
    columns: POD_RANGE_COLUMNS,
  },
];

/** Schema of a whole object: apiVersion, kind and metadata are the API server's own business. */
function objectSchema({ schema, spec, status }: Kind): JsonObject {
  const { description, "x-kubernetes-validations": rules } = z.globalRegistry.get(schema) ?? {};
  return {
    type: "object",
    description,
    properties: {
      apiVersion: { type: "string", description: "Version of the schema that this object follows." },
      kind: { type: "string", description: "Kind of this object." },
      // Named so that a rule may point at it.
      metadata: { type: "object", properties: { name: { type: "string" } } },
      spec: structuralSchema(spec),
      ...(status === undefined ? {} : { status: structuralSchema(status) }),
    },
    required: ["spec"],
    ...(rules === undefined ? {} : { "x-kubernetes-validations": rules }),
  };
}

function crd(definition: Kind): JsonObject {
  const { kind, plural, shortName, status, columns } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: "Cluster",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["porthardening"],
      },
      versions: [
        {
          name: API_VERSION_NAME,
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: columns.map(({ wide = false, ...column }) => ({
            ...column,
            ...(wide ? { priority: 1 } : {}),
          })),
          schema: { openAPIV3Schema: objectSchema(definition) },
        },
      ],
    },
  };
}

/** The CustomResourceDefinitions by file name, generated from the zod schemas. */
export function customResourceDefinitions(): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(KINDS.map((kind) => [`${API_GROUP}_${kind.plural}.yaml`, crd(kind)]));
}
