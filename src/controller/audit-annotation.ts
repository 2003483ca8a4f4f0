import { AUDIT_ANNOTATION } from "../api/audit.ts";
import type { ObjectMeta } from "../kube/types.ts";
import { contentHash } from "../plan/content-hash.ts";

/** Bound of NodeState.spec.auditRequest. */
const REQUEST_MAX = 64;

/** What the annotation of a Node or a policy says, as short as a request may be; undefined where it says nothing. */
export function auditAsked(metadata: ObjectMeta): string | undefined {
  return annotated(metadata, AUDIT_ANNOTATION);
}

/** The same of another annotation that asks for something whenever its value changes. */
export function annotated({ annotations = {} }: ObjectMeta, annotation: string): string | undefined {
  const value = annotations[annotation];
  return value === undefined || value === "" ? undefined : shortRequest(value);
}

/** As it is where it fits and people can read it; else a hash of it. */
export function shortRequest(text: string): string {
  return text.length <= REQUEST_MAX && /^[ -~]*$/.test(text) ? text : contentHash(text, 32);
}
