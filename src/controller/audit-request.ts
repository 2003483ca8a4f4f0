import type { Store } from "../kube/types.ts";
import { compareText } from "../plan/text-order.ts";
import { shortRequest } from "./audit-annotation.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { PolicyFacts } from "./policy-facts.ts";

/**
 * NodeState.spec.auditRequest: it changes when one of the annotations that concern the node does, and when a policy that has
 * one comes or goes. No part of a plan, so it is no revision and no matter of roll-out. undefined where nobody asks.
 */
export function auditRequest(
  { auditAsked }: Pick<NodeFacts, "auditAsked">,
  selecting: Iterable<string>,
  policies: Pick<Store<Pick<PolicyFacts, "auditAsked">>, "get">,
): string | undefined {
  const asked = [...selecting].toSorted(compareText).flatMap((name) => {
    const value = policies.get({ name })?.auditAsked;
    return value === undefined ? [] : [`${name}=${value}`];
  });
  // A policy's name is a DNS label: none can be taken for the node.
  const all = auditAsked === undefined ? asked : [`.=${auditAsked}`, ...asked];
  return all.length === 0 ? undefined : shortRequest(all.join(" "));
}
