import { AUDIT_ANNOTATION } from "../api/audit.ts";
import type { ObjectMeta } from "../kube/types.ts";
import { contentHash } from "../plan/content-hash.ts";

/** Bound of NodeState.spec.auditRequest. */
const REQUEST_MAX = 64;

/** What the annotation of a Node or a policy says, as short as a request may be; undefined where it says nothing. */
export function auditAsked({ annotations = {} }: ObjectMeta): string | undefined {
  const value = annotations[AUDIT_ANNOTATION];
  return value === undefined || value === "" ? undefined : shortRequest(value);
}

/** As it is where it fits and people can read it; else a hash of it. */
export function shortRequest(text: string): string {
  return text.length <= REQUEST_MAX && /^[ -~]*$/.test(text) ? text : contentHash(text, 32);
}
