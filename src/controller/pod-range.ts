import { API_VERSION, POD_RANGE_KIND } from "../api/group.ts";
import { POD_RANGE_NAME, podRangeSpecSchema } from "../api/pod-range.ts";
import type { KubeObject } from "../kube/types.ts";
import { podRange } from "../plan/pod-range.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { fieldAt } from "./wire-fields.ts";

/** What new pods get. */
export interface GivenRange {
  /** `49152-65535`. */
  readonly range: string;
  /** The policy that asks for it. */
  readonly policy: string;
}

/** How it stands with the range of new pods. */
export interface PodRangeState {
  /** As the API server has it; absent: nothing is given. */
  readonly given?: GivenRange;
  /** Why new pods do not get what a policy asks for. */
  readonly problem?: string;
}

/** What they shall get: of the policy that wins, of all of the cluster. undefined where none asks. */
export function wantedRange(policies: readonly CompiledPolicy[]): GivenRange | undefined {
  const won = podRange(policies.flatMap((one) => (one.outcome === "Compiled" ? [one.element] : [])));
  return won && { range: `${won.from}-${won.to}`, policy: won.policy };
}

/** The object that says so. */
export function podRangeObject(given: GivenRange): KubeObject & { readonly spec: GivenRange } {
  return { apiVersion: API_VERSION, kind: POD_RANGE_KIND, metadata: { name: POD_RANGE_NAME }, spec: given };
}

export function parseGivenRange(object: KubeObject | undefined): GivenRange | undefined {
  return podRangeSpecSchema.safeParse(fieldAt(object, "spec")).data;
}

/** Whether the binding makes the policy of this name go by the object. */
export function bindsPodRange(binding: KubeObject, name: string): boolean {
  const spec = fieldAt(binding, "spec");
  return fieldAt(spec, "policyName") === name && fieldAt(fieldAt(spec, "paramRef"), "name") === POD_RANGE_NAME;
}
