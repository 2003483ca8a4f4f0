import type { ComingOnNode } from "../api/coming.ts";
import { recordsAt } from "./wire-fields.ts";

/** What a node is asked, and says, of revisions whose turn on it has not come. */
export interface ComingFacts {
  /** spec.previews, without the plans. */
  readonly asked: readonly { readonly name: string; readonly hash: string }[];
  /** undefined: its agent does not look. */
  readonly said: readonly ComingOnNode[] | undefined;
}

/** Shared by the many nodes on which nothing waits. */
export const NOTHING_COMES: ComingFacts = { asked: [], said: undefined };

export function comingFacts(spec: unknown, said: readonly ComingOnNode[] | undefined): ComingFacts {
  const asked = recordsAt(spec, "previews").map(({ name, hash }) => ({ name: String(name), hash: String(hash) }));
  return asked.length === 0 && said === undefined ? NOTHING_COMES : { asked, said };
}
