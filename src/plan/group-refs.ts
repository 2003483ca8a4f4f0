/** References to address groups: their normal form, and which groups they mean. */
import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type LabelSelector, selects } from "./select.ts";
import { compareText } from "./text-order.ts";
import type { GroupAddresses, GroupRef, LabelRequirement } from "./types.ts";

/** A reference from a plan or as the API hands it over. */
export type LooseGroupRef = { readonly name: string } | { readonly selector: LabelSelector };

/** The same references without repetition, in one order, so that equal sets of references are equal lists. */
export function normaliseGroupRefs(refs: readonly LooseGroupRef[]): GroupRef[] {
  const byText = new Map(refs.map(normaliseGroupRef).map((ref) => [canonicalJson(ref), ref]));
  return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, ref]) => ref);
}

function normaliseGroupRef(ref: LooseGroupRef): GroupRef {
  if ("name" in ref) return { name: ref.name };
  const { matchLabels = {}, matchExpressions = [] } = ref.selector;
  const expressions = matchExpressions
    .map(
      ({ key, operator, values = [] }): LabelRequirement =>
        values.length === 0 ? { key, operator } : { key, operator, values: [...new Set(values)].toSorted(compareText) },
    )
    .toSorted((a, b) => compareText(canonicalJson(a), canonicalJson(b)));
  return {
    selector: {
      ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
      ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
    },
  };
}

/**
 * The groups that a policy's reference means. Never one of the cluster's own, neither by label nor by name: those are
 * shards whose split changes with the cluster, and `trustCluster` is the way to speak of them.
 */
export function referredGroups(ref: GroupRef, groups: readonly GroupAddresses[]): GroupAddresses[] {
  return groups.filter(
    (group) =>
      !Object.hasOwn(group.labels, CLUSTER_ADDRESSES_LABEL) &&
      ("name" in ref ? group.name === ref.name : selects(ref.selector, group.labels)),
  );
}

/** The reference in words, for messages. */
export function describeGroupRef(ref: GroupRef): string {
  return "name" in ref ? `address group "${ref.name}"` : `address groups selected by ${canonicalJson(ref.selector)}`;
}
