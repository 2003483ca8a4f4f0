import { SKIP_ANNOTATION } from "../api/skip.ts";
import type { ObjectMeta } from "../kube/types.ts";
import { selects } from "../plan/select.ts";
import { byName } from "../plan/text-order.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { NodeFacts } from "./node-facts.ts";
import { nameNodes } from "./verdict.ts";

/** Whether somebody took the Node out. Any other value of the annotation leaves it in, as a slip must not open a node. */
export function isSkipped({ annotations = {} }: ObjectMeta): boolean {
  return annotations[SKIP_ANNOTATION] === "true";
}

/** Nodes that a policy would select if they were not left out, sorted. */
export function skippedBy(policy: CompiledPolicy, nodes: readonly NodeFacts[]): readonly string[] {
  if (policy.outcome === "Unreadable") return [];
  const { nodeSelector } = policy;
  return nodes
    .filter(({ skipped, labels }) => skipped === true && selects(nodeSelector, labels))
    .toSorted(byName)
    .map(({ name }) => name);
}

/** A sentence behind the policy's message; empty where no node is left out. */
export function skippedWords(names: readonly string[]): string {
  if (names.length === 0) return "";
  return ` Left out by annotation ${SKIP_ANNOTATION}: ${nameNodes(names.map((node) => ({ node })))}.`;
}
