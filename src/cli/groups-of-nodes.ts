import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { clusterAddresses } from "../controller/cluster-addresses.ts";
import type { NodeFacts } from "../controller/node-facts.ts";
import { nodeSelectionsIn, selectedAddresses } from "../controller/selected-nodes.ts";
import { describeGroupRef } from "../plan/group-refs.ts";
import { selects } from "../plan/select.ts";
import { publishedNodes, selectedNodesGroup } from "../plan/selected-nodes.ts";
import type { GroupAddresses, Plan } from "../plan/types.ts";

export interface GroupsOfNodes {
  readonly groups: readonly GroupAddresses[];
  /** What the reader should know of them, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * What the controller would publish of these nodes: whom the policies select as peers, and the cluster's own node
 * addresses and pod CIDRs. What is published already, and `given`, wins. Without `nodes` (a live cluster) that is all there
 * is.
 */
export function groupsOfNodes(
  plans: readonly Plan[],
  nodes: readonly NodeFacts[] | undefined,
  given: readonly GroupAddresses[],
): GroupsOfNodes {
  const unpublished = plans
    .flatMap(nodeSelectionsIn)
    .filter(({ selector }) => publishedNodes(selector, given).length === 0);
  if (nodes === undefined || nodes.length === 0) {
    const note = nodes === undefined ? NOT_PUBLISHED : NO_NODE;
    return { groups: [], notes: unpublished.length === 0 ? [] : [note] };
  }
  const selections = [...new Map(unpublished.map((selection) => [selection.hash, selection])).values()];
  const selected = selections.map(({ hash, selector }) =>
    selectedNodesGroup(hash, 0, [...selectedAddresses(selector, nodes)]),
  );
  const hollow = selections.filter(({ selector }) => !nodes.some(({ labels }) => selects(selector, labels)));
  const own = (["nodes", "pods"] as const)
    .filter((role) => !given.some(({ labels }) => labels[CLUSTER_ADDRESSES_LABEL] === role))
    .map((role) => {
      const addresses = [...clusterAddresses(role, { nodes, services: [], apiEndpoints: [], serviceCidrs: [] })];
      return { name: `cluster-${role}`, labels: { [CLUSTER_ADDRESSES_LABEL]: role }, addresses };
    });
  return {
    groups: [...selected, ...own],
    notes: hollow.map(
      ({ selector }) =>
        `${describeGroupRef({ nodes: selector })}: none of the ${nodes.length} Node objects given has these labels, so it matches nothing`,
    ),
  };
}

const NOT_PUBLISHED =
  "the controller has not published which nodes a peer means: until it has, agents keep the rules that they have";
const NO_NODE =
  "there is no Node object, so nobody knows which nodes a peer means: kubectl get nodes -o yaml gives them";
