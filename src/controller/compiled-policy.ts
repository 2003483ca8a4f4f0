import { parsePolicy } from "../api/parse.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { SchemaError } from "../api/schema-error.ts";
import type { KubeObject } from "../kube/types.ts";
import { type CompileOptions, compile } from "../plan/compile.ts";
import { CompileError } from "../plan/compile-error.ts";
import { assign } from "../plan/plan-hash.ts";
import type { LabelSelector } from "../plan/select.ts";
import type { AssignedPolicy, Plan } from "../plan/types.ts";

/** A policy made ready for the nodes, or why it cannot be. */
export type CompiledPolicy =
  | {
      readonly outcome: "Compiled";
      readonly name: string;
      readonly nodeSelector: LabelSelector | undefined;
      /** The same for every node that is selected. */
      readonly element: AssignedPolicy;
      /** Of `element` as JSON. */
      readonly bytes: number;
    }
  | {
      readonly outcome: "Refused";
      readonly name: string;
      readonly nodeSelector: LabelSelector | undefined;
      readonly problem: string;
    }
  /** Nobody can say which nodes it selects. */
  | { readonly outcome: "Unreadable"; readonly name: string; readonly problem: string };

/**
 * Never throws: whatever is wrong with a policy goes into its own status. The API server refuses what this version
 * cannot read, except where it still serves an older or looser CRD.
 */
export function compilePolicy(object: KubeObject, options: CompileOptions): CompiledPolicy {
  const { name } = object.metadata;
  let policy: PortHardeningPolicy;
  try {
    policy = parsePolicy(object);
  } catch (error) {
    return { outcome: "Unreadable", name, problem: describe(error) };
  }
  const { nodeSelector } = policy.spec;
  try {
    const element = assign(policy, compileForAnyNode(policy, options));
    return { outcome: "Compiled", name, nodeSelector, element, bytes: Buffer.byteLength(JSON.stringify(element)) };
  } catch (error) {
    return { outcome: "Refused", name, nodeSelector, problem: describe(error) };
  }
}

/** Nothing but selection depends on the node, so a fleet of 5,000 costs one compilation. */
function compileForAnyNode(policy: PortHardeningPolicy, options: CompileOptions): Plan {
  const everywhere = { ...policy, spec: { ...policy.spec, nodeSelector: undefined } };
  const plan = compile(everywhere, { name: "", labels: {} }, options);
  if (plan === undefined) throw new Error("a policy without nodeSelector selects every node");
  return plan;
}

/** Field and reason; the policy's name is known to whom reads it. */
function describe(error: unknown): string {
  if (error instanceof SchemaError) {
    return error.problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  }
  if (error instanceof CompileError) return error.message.replace(`PortHardeningPolicy ${error.policy}: `, "");
  return error instanceof Error ? error.message : String(error);
}
