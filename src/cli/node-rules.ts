import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import { CLUSTER_ADDRESSES_LABEL, SELECTED_NODES } from "../api/group.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import type { NodeFacts } from "../controller/node-facts.ts";
import { compile, type NodeIdentity } from "../plan/compile.ts";
import { type InstallSettings, parseInstallSettings } from "../plan/install-settings.ts";
import { merge } from "../plan/merge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { assign } from "../plan/plan-hash.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import { render } from "../render/render.ts";
import type { RuleSet } from "../render/types.ts";
import { groupsOfNodes } from "./groups-of-nodes.ts";

export interface NodePlans {
  /** Of the policies that select the node. */
  readonly assigned: readonly AssignedPolicy[];
  readonly plan: NodePlan;
  /** The groups that were given, and those that are made of nodes. */
  readonly known: readonly GroupAddresses[];
  /** What the reader should know of how they came about, a sentence each. */
  readonly notes: readonly string[];
}

export interface NodeRules extends NodePlans {
  readonly ruleSet: RuleSet;
}

/** What a node with these labels would enforce. Throws CompileError, and Error where no policy selects the node. */
export function nodeRules(...objects: Parameters<typeof nodePlan>): NodeRules {
  const plans = nodePlan(...objects);
  return { ...plans, ruleSet: render(plans.plan) };
}

/** The same without the rules. */
export function nodePlan(
  policies: readonly PortHardeningPolicy[],
  groups: readonly PortHardeningAddressGroup[],
  node: NodeIdentity,
  nodes?: readonly NodeFacts[],
  install: InstallSettings = parseInstallSettings(undefined),
): NodePlans {
  const { assigned, known, notes: about } = assignedTo(policies, groups, node, nodes, install);
  if (assigned.length === 0) throw new Error(["no policy selects the node", ...about.unselected].join("\n"));
  const plan = merge(assigned, known, install.node);
  const notes = [
    ...about.unselected,
    ...plan.conflicts.map(({ policy, field, winner }) => `policy ${policy}: ${field} loses to policy ${winner}`),
    // A deny that a failsafe outdoes says so itself, where it is asked about.
    ...plan.warnings
      .filter(({ reason }) => reason !== "DenySparesFailsafe")
      .map(({ policy, message }) => `policy ${policy}: ${message}`),
    ...about.ofNodes,
    ...(judges(plan) && !known.some(isClusters) ? [CLUSTER_UNKNOWN] : []),
  ];
  return { assigned, plan, known, notes };
}

/** Of the policies those that select the node, and the groups that they may use. Throws CompileError. */
export function assignedTo(
  policies: readonly PortHardeningPolicy[],
  groups: readonly PortHardeningAddressGroup[],
  node: NodeIdentity,
  nodes: readonly NodeFacts[] | undefined,
  { allowedSysctls }: InstallSettings,
) {
  const unselected: string[] = [];
  const assigned = policies.flatMap((policy) => {
    const plan = compile(policy, node, { allowedSysctls });
    if (plan !== undefined) return [assign(policy, plan)];
    unselected.push(
      `policy ${policy.metadata.name} is left out: its nodeSelector does not select ${describeNode(node)}`,
    );
    return [];
  });
  const given = groups.map(groupAddresses);
  const ofNodes = groupsOfNodes(
    assigned.map(({ plan }) => plan),
    nodes,
    given,
  );
  return { assigned, known: [...given, ...ofNodes.groups], notes: { unselected, ofNodes: ofNodes.notes } };
}

/** Said where policies judge and nobody knows whom they are to trust. */
export const CLUSTER_UNKNOWN =
  "the cluster's own addresses are not among the objects, so nodes and pods count as strangers: " +
  `kubectl get porthardeningaddressgroups -l ${CLUSTER_ADDRESSES_LABEL} -o yaml gives them`;

export function judges({ inbound, outbound, rateLimits }: NodePlan): boolean {
  return inbound.length + outbound.length + rateLimits.length > 0;
}

export function isClusters({ labels }: GroupAddresses): boolean {
  return Object.hasOwn(labels, CLUSTER_ADDRESSES_LABEL) && labels[CLUSTER_ADDRESSES_LABEL] !== SELECTED_NODES;
}

export function groupAddresses({ metadata: { name, labels = {} }, spec }: PortHardeningAddressGroup): GroupAddresses {
  return { name, labels, addresses: spec.addresses };
}

function describeNode({ name, labels }: NodeIdentity): string {
  const shown = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (shown.length === 0) return `node ${name}, of which no labels are given (--node-labels key=value,...)`;
  return `node ${name} with labels ${shown.join(",")}`;
}
