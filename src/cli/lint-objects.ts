import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { labelSelectorSchema } from "../api/label-selector.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { sysctlAllowed } from "../plan/allowed-sysctls.ts";
import { CompileError } from "../plan/compile-error.ts";
import { parseInstallSettings } from "../plan/install-settings.ts";
import { nodeAudit } from "../plan/node-audit.ts";
import { assign } from "../plan/plan-hash.ts";
import type { Plan } from "../plan/types.ts";
import { nameEntries } from "./entry-names.ts";
import { groupsOfNodes } from "./groups-of-nodes.ts";
import { auditWarnings } from "./lint-audit.ts";
import type { Warning } from "./lint-direction.ts";
import { groupWarnings, trustWarnings } from "./lint-groups.ts";
import { nodePeerWarnings } from "./lint-nodes.ts";
import { lintPolicy, planAnywhere } from "./lint-policy.ts";
import { lintTogether } from "./lint-together.ts";
import type { Manifest } from "./manifest.ts";
import { groupAddresses } from "./node-rules.ts";
import { type Finding, findingAt, type Located, type Objects } from "./objects.ts";

/**
 * All there is to say about the objects: what admission would refuse, or no install could compile (errors), and what
 * would have no effect (warnings).
 */
export function lintObjects(
  { policies, groups, nodes, findings }: Objects,
  { allowedSysctls, node: { failsafes } } = parseInstallSettings(undefined),
): Finding[] {
  const addresses = groups.map(({ object }) => groupAddresses(object));
  const compiled = policies.map(({ manifest, object }) => ({ manifest, object, plan: planOrRefusal(object) }));
  const refused = compiled.flatMap(({ manifest, plan }) =>
    plan instanceof CompileError ? refusal(manifest, plan) : [],
  );
  const planned = compiled.flatMap(({ plan, ...rest }) => (plan instanceof CompileError ? [] : { ...rest, plan }));
  const warning = (manifest: Manifest, policy: string, { path, message }: Warning): Finding => {
    const finding = findingAt(manifest, "warning", `PortHardeningPolicy ${policy}`, path, message);
    return { ...finding, path: nameEntries(manifest.object, path) };
  };
  const audit = nodeAudit(planned.map(({ object, plan }) => ({ name: object.metadata.name, plan })));
  const ofPolicies = planned.flatMap(({ manifest, object, plan }) => {
    const ofNodes = groupsOfNodes([plan], nodes, addresses);
    const known = [...addresses, ...ofNodes.groups];
    return [
      ...lintPolicy(object, plan, failsafes),
      ...trustWarnings(object, plan, known, failsafes),
      ...nodePeerWarnings(object),
      ...auditWarnings(object, audit),
      ...ofNodes.notes.map((message): Warning => ({ path: "spec", message })),
      ...sysctlWarnings(object.spec.sysctls ?? {}, allowedSysctls),
      ...groupWarnings(object, plan, known),
    ].map((found) => warning(manifest, object.metadata.name, found));
  });
  const meeting = planned.map(({ object, plan }) => ({ policy: object, assigned: assign(object, plan) }));
  const together = lintTogether(meeting).flatMap(({ policy, ...found }) => {
    const whose = policies.find(({ object }) => object.metadata.name === policy);
    return whose === undefined ? [] : [warning(whose.manifest, policy, found)];
  });
  return [
    ...findings,
    ...groups.flatMap(groupErrors),
    ...policies.flatMap(labelErrors),
    ...refused,
    ...ofPolicies,
    ...together,
  ];
}

function planOrRefusal(policy: PortHardeningPolicy): Plan | CompileError {
  try {
    return planAnywhere(policy);
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
}

/** The API server takes the policy, and its status says this: on every install, or where facts of the cluster decide so. */
function refusal(manifest: Manifest, { policy, field, reason, fails }: CompileError): Finding {
  const subject = `PortHardeningPolicy ${policy}`;
  if (fails === "Everywhere") return findingAt(manifest, "error", subject, field, reason);
  return findingAt(manifest, "warning", subject, field, `fails on an install as it is by default: ${reason}`);
}

/** What the API server itself and the install's admission policy refuse. */
function groupErrors({ manifest, object }: Located<PortHardeningAddressGroup>): Finding[] {
  const { name, labels = {} } = object.metadata;
  const error = (path: string, message: string) =>
    findingAt(manifest, "error", `PortHardeningAddressGroup ${name}`, path, message);
  return [
    ...labelErrors({ manifest, object }),
    ...(Object.hasOwn(labels, CLUSTER_ADDRESSES_LABEL)
      ? [
          error(
            `metadata.labels.${CLUSTER_ADDRESSES_LABEL}`,
            "marks the cluster's own addresses, which only the controller writes: leave it away",
          ),
        ]
      : []),
  ];
}

/** The API server judges labels itself, so the schemas do not. */
function labelErrors({
  manifest,
  object: { kind, metadata },
}: Located<Pick<PortHardeningPolicy | PortHardeningAddressGroup, "kind" | "metadata">>): Finding[] {
  return Object.entries(metadata.labels ?? {}).flatMap(([key, value]) =>
    labelSelectorSchema.safeParse({ matchLabels: { [key]: value } }).success
      ? []
      : [
          findingAt(
            manifest,
            "error",
            `${kind} ${metadata.name}`,
            `metadata.labels.${key}`,
            `"${key}: ${value}" is no label that Kubernetes accepts`,
          ),
        ],
  );
}

function sysctlWarnings(sysctls: Readonly<Record<string, string>>, patterns: readonly string[]): Warning[] {
  return Object.keys(sysctls)
    .filter((key) => !sysctlAllowed(key, patterns))
    .map((key) => ({
      path: `spec.sysctls.${key}`,
      message:
        "not among the sysctls that an install allows by default, or those of --settings: the policy fails unless yours allows it",
    }));
}
