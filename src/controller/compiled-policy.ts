import { parsePolicy } from "../api/parse.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { DEFAULT_ROLLOUT, RETRY_ANNOTATION, type Rollout } from "../api/rollout.ts";
import { SchemaError } from "../api/schema-error.ts";
import type { KubeObject } from "../kube/types.ts";
import { type CompileOptions, compile } from "../plan/compile.ts";
import { CompileError } from "../plan/compile-error.ts";
import { PLAN_FORMATS, type PlanFormat } from "../plan/plan-formats.ts";
import { assign } from "../plan/plan-hash.ts";
import type { LabelSelector } from "../plan/select.ts";
import type { AssignedPolicy, Plan } from "../plan/types.ts";
import { annotated } from "./audit-annotation.ts";
import type { WrittenPolicy } from "./written-plans.ts";

/** A policy made ready for the nodes, or why it cannot be. */
export type CompiledPolicy =
  | {
      readonly outcome: "Compiled";
      readonly name: string;
      readonly nodeSelector: LabelSelector | undefined;
      readonly rollout: Rollout;
      /** What it asks, the same for every node that is selected. What is written for them is in `written`. */
      readonly element: AssignedPolicy;
      /** One for each format that has words for it. */
      readonly written: readonly WrittenPolicy[];
    }
  | {
      readonly outcome: "Refused";
      readonly name: string;
      readonly nodeSelector: LabelSelector | undefined;
      readonly rollout: Rollout;
      readonly problem: string;
    }
  /** Nobody can say which nodes it selects. */
  | { readonly outcome: "Unreadable"; readonly name: string; readonly problem: string };

/**
 * Never throws: whatever is wrong with a policy goes into its own status. The API server refuses what this version
 * cannot read, except where it still serves an older or looser CRD.
 */
export function compilePolicy(
  object: KubeObject,
  options: CompileOptions,
  formats: readonly PlanFormat[] = PLAN_FORMATS,
): CompiledPolicy {
  const { name } = object.metadata;
  let policy: PortHardeningPolicy;
  try {
    policy = parsePolicy(object);
  } catch (error) {
    return { outcome: "Unreadable", name, problem: describe(error) };
  }
  const { nodeSelector, rollout = DEFAULT_ROLLOUT } = policy.spec;
  const retryAt = annotated(object.metadata, RETRY_ANNOTATION);
  try {
    const plan = compileForAnyNode(policy, options);
    const written = formats.flatMap(({ format, write }): WrittenPolicy[] => {
      const wire = write(plan);
      if (wire === undefined) return [];
      const revision = assign(policy, wire);
      const element = retryAt === undefined ? revision : { ...revision, retryAt };
      return [{ format, element, bytes: Buffer.byteLength(JSON.stringify(element)) }];
    });
    return { outcome: "Compiled", name, nodeSelector, rollout, element: assign(policy, plan), written };
  } catch (error) {
    return { outcome: "Refused", name, nodeSelector, rollout, problem: describe(error) };
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
