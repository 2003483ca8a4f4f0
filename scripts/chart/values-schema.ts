import * as z from "zod";
import { DNS_LABEL } from "../../src/api/named.ts";
import { PORT_RANGE_PATTERN } from "../../src/api/ports.ts";
import { installSettingsSchema } from "../../src/plan/install-settings.ts";
import { LOG_LEVELS } from "../../src/telemetry/logger.ts";

const texts = z.record(z.string(), z.string());
const logLevel = z.enum(LOG_LEVELS);
const portNumber = z.int().min(1024).max(65535);
/** `10%` or a number, as Kubernetes takes it. */
const intOrPercent = z.union([z.int().min(0), z.string().regex(/^(100|[1-9]?[0-9])%$/)]);

/** Amounts as Kubernetes writes them: 20m, 128Mi. */
const amounts = z.record(
  z.string(),
  z.union([z.number().min(0), z.string().regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/)]),
);

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(["Exists", "Equal"]).optional(),
  value: z.string().optional(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
  tolerationSeconds: z.int().optional(),
});

const resources = z.strictObject({ requests: amounts.optional(), limits: amounts.optional() });

/** What both workloads have. */
const workload = {
  logLevel,
  resources,
  nodeSelector: texts,
  tolerations: z.array(toleration),
  podAnnotations: texts,
  priorityClassName: z.string().min(1),
};

const settings = installSettingsSchema.shape;
const interval = z.string().regex(/^([1-9][0-9]*(ms|s|m|h))+$/);

/** What may be given to the chart. The fields are those of values.yaml, neither fewer nor more: each is asked for. */
export const valuesSchema = z.strictObject({
  /** Helm hands it down where this chart is part of another one. */
  global: z.looseObject({}).optional(),
  image: z.strictObject({
    repository: z.string().regex(/^[a-z0-9]+([._:/-]+[a-z0-9]+)*$/),
    tag: z.string().regex(/^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$/),
    digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
  }),
  imagePullSecrets: z.array(z.strictObject({ name: z.string().min(1) })),
  fullnameOverride: z.string().regex(/^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$/),
  crds: z.strictObject({ install: z.boolean() }),
  allowedSysctls: settings.allowedSysctls.unwrap(),
  failsafes: settings.failsafes.unwrap(),
  podInterfaces: settings.podInterfaces.unwrap(),
  podsOnUplink: settings.podsOnUplink.unwrap(),
  podRange: z.strictObject({
    enabled: z.boolean(),
    excludedNamespaces: z.array(z.string().max(63).regex(DNS_LABEL, "must be the name of a namespace")),
  }),
  controller: z.strictObject({
    ...workload,
    replicas: z.int().min(1).max(9),
    leaderElection: z.strictObject({ leaseDurationSeconds: z.int().min(1).max(3600) }),
    serviceNodePortRange: z.string().regex(new RegExp(PORT_RANGE_PATTERN)),
    affinity: z.looseObject({}),
    podDisruptionBudget: z.boolean(),
  }),
  agent: z.strictObject({
    ...workload,
    guard: z.strictObject({ resources }),
    updateStrategy: z.strictObject({
      type: z.enum(["RollingUpdate", "OnDelete"]),
      // No surge: two agents would write the rules of one node.
      rollingUpdate: z.strictObject({ maxUnavailable: intOrPercent }).optional(),
    }),
    primeSeconds: z.int().min(0).max(3600),
    markBit: z.string().regex(/^0x0*[1248]0*$/),
    stateDirectory: z.string().regex(/^(\/[A-Za-z0-9._-]+)+$/),
    healthHost: z.enum(["127.0.0.1", "NodeAddress", "0.0.0.0"]),
    healthPort: portNumber,
  }),
  uninstall: z.strictObject({ clearNodes: z.boolean(), timeoutSeconds: z.int().min(1).max(3600) }),
  metrics: z.strictObject({
    serviceMonitor: z.strictObject({ enabled: z.boolean(), labels: texts, interval }),
    prometheusRule: z.strictObject({ enabled: z.boolean(), labels: texts }),
    dashboard: z.strictObject({ enabled: z.boolean(), labels: texts }),
  }),
});

type Node = Record<string, unknown> & { properties?: Record<string, Node> };

/** values.schema.json: what Helm holds values against, and what editors show. `descriptions` by path (`agent.healthPort`). */
export function valuesJsonSchema(descriptions: ReadonlyMap<string, string>): object {
  const schema = z.toJSONSchema(valuesSchema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    reused: "inline",
    // Zod leaves the type of a port open; it is one of these two.
    override({ jsonSchema }) {
      if ("x-kubernetes-int-or-string" in jsonSchema) {
        delete jsonSchema["x-kubernetes-int-or-string"];
        Object.assign(jsonSchema, { type: ["integer", "string"] });
      }
    },
  }) as Node;
  describe(schema, "", descriptions);
  return schema;
}

function describe(node: Node, path: string, descriptions: ReadonlyMap<string, string>): void {
  const description = descriptions.get(path);
  if (description !== undefined) node["description"] = description;
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    describe(property, path === "" ? name : `${path}.${name}`, descriptions);
  }
}
