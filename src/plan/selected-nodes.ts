/** How the groups that hold the addresses of selected nodes are known: controller and agent must find the same ones. */
import { CLUSTER_ADDRESSES_LABEL, NODE_SELECTOR_LABEL, SELECTED_NODES } from "../api/group.ts";
import { contentHash } from "./content-hash.ts";
import { type LabelSelector, type Labels, normaliseSelector } from "./select.ts";
import type { GroupAddresses } from "./types.ts";

/** 16 hexadecimal digits; the same for selectors that say the same. */
export function nodeSelectorHash(selector: LabelSelector): string {
  return contentHash(normaliseSelector(selector), 16);
}

/**
 * The group that holds addresses of the nodes that the selector with this hash matches: the first one, or one of those that
 * take what it has no room for. The first is always there and written last, so that a list which is published in part
 * counts as not published.
 */
export function selectedNodesGroup(hash: string, index: number, addresses: readonly string[]): GroupAddresses {
  const labels = { [CLUSTER_ADDRESSES_LABEL]: SELECTED_NODES, [NODE_SELECTOR_LABEL]: hash };
  return { name: `cluster-${SELECTED_NODES}-${hash}-${index}`, labels, addresses };
}

/** Whether such a group has the labels that it must have. Admission keeps the first one for the controller. */
export function isSelectedNodes(labels: Labels, hash: string): boolean {
  return labels[CLUSTER_ADDRESSES_LABEL] === SELECTED_NODES && labels[NODE_SELECTOR_LABEL] === hash;
}

/** All groups of the list; none where it is not published, or not as a whole yet. */
export function publishedNodes(selector: LabelSelector, groups: readonly GroupAddresses[]): GroupAddresses[] {
  const hash = nodeSelectorHash(selector);
  const found = groups.filter(({ labels }) => isSelectedNodes(labels, hash));
  const first = selectedNodesGroup(hash, 0, []).name;
  return found.some(({ name }) => name === first) ? found : [];
}
