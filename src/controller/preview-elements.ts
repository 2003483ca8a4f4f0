import type { Assigned, WrittenPlan } from "../plan/types.ts";
import { POLICIES_BYTES_MAX } from "./desired-policies.ts";

type Element = Omit<Assigned<WrittenPlan>, "plan" | "retryAt"> & { readonly plan?: WrittenPlan };

/**
 * spec.previews, in what room the policies leave: beside what a node has stands what it gets. One that does not fit is named without its
 * plan, so that its agent says that nobody can judge it, and nobody waits for that.
 */
export function previewElements(previews: readonly Assigned<WrittenPlan>[], policies: readonly object[]): Element[] {
  let bytes = POLICIES_BYTES_MAX - bytesOf(policies);
  return previews.map(({ retryAt: _, ...element }) => {
    const size = bytesOf(element);
    if (size <= bytes) {
      bytes -= size;
      return element;
    }
    const { plan: __, ...named } = element;
    return named;
  });
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
