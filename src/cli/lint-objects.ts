import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { labelSelectorSchema } from "../api/label-selector.ts";
import { DEFAULT_ALLOWED_SYSCTLS, sysctlAllowed } from "../plan/allowed-sysctls.ts";
import { merge } from "../plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../plan/node-settings.ts";
import { assign } from "../plan/plan-hash.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import { nameEntries } from "./entry-names.ts";
import { groupsOfNodes } from "./groups-of-nodes.ts";
import { nodePeerWarnings } from "./lint-nodes.ts";
import { lintPolicy, planAnywhere, trustWarnings, type Warning } from "./lint-policy.ts";
import { groupAddresses } from "./node-rules.ts";
import { type Finding, findingAt, type Located, type Objects } from "./objects.ts";

/** All there is to say about the objects: what admission would refuse (errors), and what would have no effect (warnings). */
export function lintObjects({ policies, groups, nodes, findings }: Objects): Finding[] {
  const addresses = groups.map(({ object }) => groupAddresses(object));
  const everywhere: AssignedPolicy[] = [];
  const ofPolicies = policies.flatMap(({ manifest, object }) => {
    const plan = planAnywhere(object);
    const assigned = assign(object, plan);
    if (object.spec.nodeSelector === undefined) everywhere.push(assigned);
    const ofNodes = groupsOfNodes([plan], nodes, addresses);
    const known = [...addresses, ...ofNodes.groups];
    const fromGroups = merge([assigned], known, DEFAULT_NODE_SETTINGS).warnings.map(
      ({ message }): Warning => ({ path: "spec.firewall.inbound", message: `${message} (of the files given)` }),
    );
    const warnings = [
      ...lintPolicy(object, plan),
      ...trustWarnings(object, plan, known),
      ...nodePeerWarnings(object),
      ...ofNodes.notes.map((message): Warning => ({ path: "spec", message })),
    ];
    return [...warnings, ...sysctlWarnings(object.spec.sysctls ?? {}), ...fromGroups].map(
      ({ path, message }): Finding => {
        const finding = findingAt(manifest, "warning", `PortHardeningPolicy ${object.metadata.name}`, path, message);
        return { ...finding, path: nameEntries(manifest.object, path) };
      },
    );
  });
  return [...findings, ...groups.flatMap(groupErrors), ...ofPolicies, ...conflicts(everywhere, policies)];
}

/** What the API server itself and the install's admission policy refuse. */
function groupErrors({ manifest, object: { metadata } }: Located<PortHardeningAddressGroup>): Finding[] {
  const { name, labels = {} } = metadata;
  const error = (path: string, message: string) =>
    findingAt(manifest, "error", `PortHardeningAddressGroup ${name}`, path, message);
  return [
    ...Object.entries(labels).flatMap(([key, value]) =>
      labelSelectorSchema.safeParse({ matchLabels: { [key]: value } }).success
        ? []
        : [error(`metadata.labels.${key}`, `"${key}: ${value}" is no label that Kubernetes accepts`)],
    ),
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

function sysctlWarnings(sysctls: Readonly<Record<string, string>>): Warning[] {
  const patterns = DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern);
  return Object.keys(sysctls)
    .filter((key) => !sysctlAllowed(key, patterns))
    .map((key) => ({
      path: `spec.sysctls.${key}`,
      message: "not among the sysctls that an install allows by default: the policy fails unless yours allows it",
    }));
}

/** Only of policies for every node: the others may never meet. */
function conflicts(everywhere: readonly AssignedPolicy[], policies: Objects["policies"]): Finding[] {
  return merge(everywhere, [], DEFAULT_NODE_SETTINGS).conflicts.flatMap(({ policy, winner, field }) => {
    const loser = policies.find(({ object }) => object.metadata.name === policy);
    if (loser === undefined) return [];
    const path = field.replace(/^(spec\.sysctls)\[(.*)\]$/, "$1.$2");
    const message = `has no effect: policy ${winner} sets it too, and wins (priority, then name)`;
    return [findingAt(loser.manifest, "warning", `PortHardeningPolicy ${policy}`, path, message)];
  });
}
