import { labelSelectorSchema } from "../api/label-selector.ts";
import { normaliseSelector, selects } from "../plan/select.ts";
import { nodeSelectorHash } from "../plan/selected-nodes.ts";
import type { PlanSelector } from "../plan/types.ts";
import { canonicalCidrs } from "./cluster-addresses.ts";
import type { NodeFacts } from "./node-facts.ts";
import { fieldAt, recordsAt } from "./wire-fields.ts";

/** Nodes as a peer of a policy. */
export interface NodeSelection {
  readonly hash: string;
  readonly selector: PlanSelector;
}

/** Every selector of nodes in a plan, each once. Total: a plan of another format holds those that can be read. */
export function nodeSelectionsIn(plan: unknown): NodeSelection[] {
  const directions = [fieldAt(plan, "inbound"), fieldAt(plan, "outbound")];
  const entries = directions.flatMap((direction) => [
    ...recordsAt(direction, "allow"),
    ...recordsAt(direction, "deny"),
  ]);
  const lists = [
    ...entries.map((entry) => entry["peers"]),
    ...recordsAt(plan, "rateLimits").map((limit) => limit["exempt"]),
  ];
  const selections = lists
    .flatMap((list) => recordsAt(list, "groups"))
    .flatMap((ref): NodeSelection[] => {
      const { success, data } = labelSelectorSchema.safeParse(ref["nodes"]);
      return success ? [{ hash: nodeSelectorHash(data), selector: normaliseSelector(data) }] : [];
    });
  return [...new Map(selections.map((selection) => [selection.hash, selection])).values()];
}

/** Addresses of the nodes that `selector` matches, as canonical CIDRs, each once. */
export function selectedAddresses(selector: PlanSelector, nodes: readonly NodeFacts[]): ReadonlySet<string> {
  return canonicalCidrs(nodes.filter(({ labels }) => selects(selector, labels)).flatMap(({ addresses }) => addresses));
}
