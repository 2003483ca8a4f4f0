import { type PolicyStatus, policyStatusSchema } from "../api/policy.ts";
import { RETRY_ANNOTATION } from "../api/rollout.ts";
import type { KubeObject } from "../kube/types.ts";
import type { CompileOptions } from "../plan/compile.ts";
import { annotated, auditAsked } from "./audit-annotation.ts";
import { type CompiledPolicy, compilePolicy } from "./compiled-policy.ts";
import { fieldAt } from "./wire-fields.ts";

/** What the controller keeps of a policy. */
export interface PolicyFacts {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** As published; undefined where it is absent or of another shape. */
  readonly status: PolicyStatus | undefined;
  readonly compiled: CompiledPolicy;
  /** Its annotation that asks for an audit. */
  readonly auditAsked?: string | undefined;
  /** Its annotation that asks nodes that failed to try again. */
  readonly retryAsked?: string | undefined;
}

/** Total: a policy that was left out would look deleted and be taken off the nodes. */
export function parsePolicyFacts(object: KubeObject, options: CompileOptions): PolicyFacts {
  const { name, uid = "", generation = 0 } = object.metadata;
  return {
    name,
    uid,
    generation,
    status: parsePolicyStatus(object),
    compiled: compilePolicy(object, options),
    auditAsked: auditAsked(object.metadata),
    retryAsked: annotated(object.metadata, RETRY_ANNOTATION),
  };
}

export function parsePolicyStatus(object: KubeObject): PolicyStatus | undefined {
  return policyStatusSchema.safeParse(fieldAt(object, "status")).data;
}
