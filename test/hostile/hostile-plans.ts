import { parsePolicy } from "../../src/api/parse.ts";
import { compile } from "../../src/plan/compile.ts";
import { assign, planHash } from "../../src/plan/plan-hash.ts";
import { objects } from "../unit/api/objects.ts";
import { type Mutation, mutations, thinned } from "./mutations.ts";

const KIND = "AssignedPolicy";

/** An element of NodeState.spec.policies, mutated; its hash is right all the same, so that it cannot be refused for that. */
export interface HostilePlan {
  readonly what: string;
  readonly element: unknown;
}

/** Mutations of what good policies compile to. The same seed gives the same. */
export function hostilePlans(seed: number, perField: number): HostilePlan[] {
  const good = objects.flatMap(({ object, expected }) => {
    const isPolicy = (object as { readonly kind: string }).kind === "PortHardeningPolicy";
    if (!isPolicy || expected !== "ok") return [];
    const policy = parsePolicy(thinned(JSON.parse(JSON.stringify(object))));
    const spec = { ...policy.spec, nodeSelector: undefined };
    const plan = compile({ ...policy, spec }, { name: "node", labels: {} }, { allowedSysctls: ["net.*.*"] });
    return plan === undefined ? [] : [{ kind: KIND, ...assign(policy, plan) }];
  });
  const spares = (path: readonly unknown[]) => path.length === 0 || path[0] === "kind";
  return mutations(good, { seed, perField, spares }).map(({ what, text }: Mutation) => {
    const { kind: _, ...element } = JSON.parse(text);
    return { what, element: what.startsWith("hash: ") ? element : rehashed(element) };
  });
}

function rehashed(element: Record<string, unknown>): unknown {
  try {
    return { ...element, hash: planHash(element as unknown as Parameters<typeof planHash>[0]) };
  } catch {
    // Too odd for a hash: then for the parser too.
    return element;
  }
}
