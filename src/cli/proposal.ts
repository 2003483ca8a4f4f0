import type { PortHardeningPolicy } from "../api/policy.ts";
import { type CompileOptions, compile } from "../plan/compile.ts";
import { assign } from "../plan/plan-hash.ts";
import { type LabelSelector, type Labels, selects } from "../plan/select.ts";
import { byName } from "../plan/text-order.ts";
import type { AssignedPolicy } from "../plan/types.ts";

/** Policies as they are proposed, made ready for any node. */
export interface Proposal {
  readonly policies: readonly {
    readonly selector: LabelSelector | undefined;
    readonly element: AssignedPolicy;
  }[];
  /** Names of policies that go. */
  readonly deleted: readonly string[];
}

/** Nothing but selection depends on the node, so a policy is compiled once. Throws CompileError. */
export function compileProposal(
  policies: readonly PortHardeningPolicy[],
  deleted: readonly string[],
  options: CompileOptions,
): Proposal {
  return {
    policies: policies.map((policy) => {
      const everywhere = { ...policy, spec: { ...policy.spec, nodeSelector: undefined } };
      const plan = compile(everywhere, { name: "", labels: {} }, options);
      if (plan === undefined) throw new Error("a policy without nodeSelector selects every node");
      return { selector: policy.spec.nodeSelector, element: assign(policy, plan) };
    }),
    deleted,
  };
}

/** What a node would have assigned: others keep what they have there. */
export function proposed(
  { policies, deleted }: Proposal,
  labels: Labels,
  before: readonly AssignedPolicy[],
): AssignedPolicy[] {
  const spokenOf = new Set([...deleted, ...policies.map(({ element }) => element.name)]);
  const kept = before.filter(({ name }) => !spokenOf.has(name));
  const selecting = policies.filter(({ selector }) => selects(selector, labels)).map(({ element }) => element);
  return [...kept, ...selecting].toSorted(byName);
}
