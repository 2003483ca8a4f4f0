/** References to address groups: their normal form, and which groups they mean. */
import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type LabelSelector, normaliseSelector, selects } from "./select.ts";
import { publishedNodes } from "./selected-nodes.ts";
import { compareText } from "./text-order.ts";
import type { GroupAddresses, GroupRef } from "./types.ts";

/** A reference from a plan or as the API hands it over. */
export type LooseGroupRef =
  | { readonly name: string }
  | { readonly selector: LabelSelector }
  | { readonly nodes: LabelSelector };

/** The same references without repetition, in one order, so that equal sets of references are equal lists. */
export function normaliseGroupRefs(refs: readonly LooseGroupRef[]): GroupRef[] {
  const byText = new Map(refs.map(normaliseGroupRef).map((ref) => [canonicalJson(ref), ref]));
  return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, ref]) => ref);
}

function normaliseGroupRef(ref: LooseGroupRef): GroupRef {
  if ("name" in ref) return { name: ref.name };
  if ("nodes" in ref) return { nodes: normaliseSelector(ref.nodes) };
  return { selector: normaliseSelector(ref.selector) };
}

/**
 * The groups that a policy's reference means. By name or label never one of the cluster's own: those are shards whose
 * split changes with the cluster; `trustCluster` and `nodes` are the ways to speak of them.
 */
export function referredGroups(ref: GroupRef, groups: readonly GroupAddresses[]): GroupAddresses[] {
  if ("nodes" in ref) return publishedNodes(ref.nodes, groups);
  return groups.filter(
    (group) =>
      !Object.hasOwn(group.labels, CLUSTER_ADDRESSES_LABEL) &&
      ("name" in ref ? group.name === ref.name : selects(ref.selector, group.labels)),
  );
}

/** The reference in words, for messages. */
export function describeGroupRef(ref: GroupRef): string {
  if ("name" in ref) return `address group "${ref.name}"`;
  if ("selector" in ref) return `address groups selected by ${canonicalJson(ref.selector)}`;
  return Object.keys(ref.nodes).length === 0 ? "every node" : `nodes selected by ${canonicalJson(ref.nodes)}`;
}
