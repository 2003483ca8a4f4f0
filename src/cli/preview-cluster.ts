import type { CompileOptions } from "../plan/compile.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import type { PreviewWorld } from "../preview/plan-pair.ts";
import type { Gap, PreviewedNode } from "../preview/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import { groupsOfNodes } from "./groups-of-nodes.ts";
import { compileProposal, type Proposal, proposed } from "./proposal.ts";
import { reportedFailsafes } from "./reported-failsafes.ts";
import { reportedUse } from "./reported-use.ts";

/** What `preview` takes, and what else the reader should know. */
export interface PreviewInput {
  readonly nodes: readonly PreviewedNode[];
  readonly world: PreviewWorld;
  readonly notes: readonly string[];
}

/** What a cluster's nodes have and would have. `only`: the one node that is asked about. Throws where there is no such node or policy. */
export function clusterInput(
  view: ClusterView,
  proposal: Proposal,
  groups: readonly GroupAddresses[],
  options: { readonly compile: CompileOptions; readonly settings: NodeSettings; readonly only: string | undefined },
): PreviewInput {
  const { only, settings } = options;
  const facts = view.nodes.filter(({ name }) => only === undefined || name === only);
  if (only !== undefined && facts.length === 0)
    throw new Error(`there is no node ${only}: kubectl get nodes lists them`);
  refuseUnknown(view, proposal);
  const nodes = facts.map(({ name, labels, addresses }): PreviewedNode => {
    const state = view.states.get(name);
    const before = state?.assigned ?? [];
    const declared = [...view.services, ...(view.podPlaces.get(name) ?? [])];
    const use = reportedUse({ status: state?.status, addresses, declared, pods: view.podNames });
    const gaps: Gap[] = [
      ...use.gaps,
      ...view.gaps.map((reason) => ({ reason })),
      ...(state !== undefined && state.unreadable > 0
        ? [{ reason: "PlanUnreadable" as const, count: state.unreadable }]
        : []),
    ];
    const failsafes = reportedFailsafes(state?.status?.failsafes ?? [], settings.failsafes);
    return { name, before, after: proposed(proposal, labels, before), failsafes, use: { ...use, gaps } };
  });
  const plans = nodes.flatMap(({ before, after }) => [...before, ...after]);
  const ofNodes = groupsOfNodes([...new Set(plans.map(({ plan }) => plan))], view.nodes, view.groups);
  const replaced = new Set(groups.map(({ name }) => name));
  const kept = view.groups.filter(({ name }) => !replaced.has(name));
  return {
    nodes,
    world: {
      groups: { before: [...view.groups, ...ofNodes.groups], after: [...kept, ...groups, ...ofNodes.groups] },
      settings,
    },
    notes: [...view.notes, ...ofNodes.notes, ...pending(view, proposal, nodes, options.compile)],
  };
}

function refuseUnknown({ policies, states }: ClusterView, { deleted }: Proposal): void {
  const assigned = [...states.values()].flatMap((state) => state.assigned.map(({ name }) => name));
  const known = new Set([...policies.map(({ metadata }) => metadata.name), ...assigned]);
  const unknown = deleted.find((name) => !known.has(name));
  if (unknown !== undefined) throw new Error(`there is no policy ${unknown}: kubectl get phpol lists them`);
}

/** Policies of the cluster whose roll-out is under way, or stands still: what they will change is not in the preview. */
function pending(
  view: ClusterView,
  proposal: Proposal,
  nodes: readonly PreviewedNode[],
  options: CompileOptions,
): string[] {
  const spokenOf = new Set([...proposal.deleted, ...proposal.policies.map(({ element }) => element.name)]);
  const labels = new Map(view.nodes.map((node) => [node.name, node.labels]));
  return view.policies.flatMap((policy) => {
    const { name } = policy.metadata;
    if (spokenOf.has(name)) return [];
    const current = asIs(policy, options);
    if (current === undefined)
      return [`policy ${name} is left as the nodes have it: it cannot be compiled with these settings`];
    const behind = nodes.filter(({ name: node, before }) => {
      const [wanted] = proposed(current, labels.get(node) ?? {}, []);
      return wanted?.hash !== hashOf(before, name);
    });
    if (behind.length === 0) return [];
    return [`policy ${name} is not assigned to ${behind.length} nodes as it stands now: its own roll-out comes on top`];
  });
}

function asIs(policy: ClusterView["policies"][number], options: CompileOptions): Proposal | undefined {
  try {
    return compileProposal([policy], [], options);
  } catch {
    // Its own status says why.
    return undefined;
  }
}

function hashOf(assigned: readonly AssignedPolicy[], policy: string): string | undefined {
  return assigned.find(({ name }) => name === policy)?.hash;
}
