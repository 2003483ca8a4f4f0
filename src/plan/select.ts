/** Label selectors, matched as Kubernetes does (apimachinery, labels.Requirement.Matches). */
import { canonicalJson } from "./canonical-json.ts";
import { compareText } from "./text-order.ts";
import type { LabelRequirement, PlanSelector } from "./types.ts";

type Requirement = Omit<LabelRequirement, "values"> & { readonly values?: readonly string[] | undefined };

/** A metav1.LabelSelector, from a plan or as the API hands it over. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly Requirement[] | undefined;
}

export type Labels = Readonly<Record<string, string>>;

/** Whether `labels` satisfy every part of `selector`. An absent or empty selector selects everything. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  const equal = Object.entries(selector?.matchLabels ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  return equal && (selector?.matchExpressions ?? []).every((requirement) => satisfies(requirement, labels));
}

/** NotIn holds for labels that lack the key (metav1.LabelSelectorRequirement, unlike SQL). */
function satisfies({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** Equal for selectors that say the same in another order, or leave out what is empty. */
export function normaliseSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): PlanSelector {
  const expressions = matchExpressions
    .map(
      ({ key, operator, values = [] }): LabelRequirement =>
        values.length === 0 ? { key, operator } : { key, operator, values: [...new Set(values)].toSorted(compareText) },
    )
    .toSorted((a, b) => compareText(canonicalJson(a), canonicalJson(b)));
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
}
