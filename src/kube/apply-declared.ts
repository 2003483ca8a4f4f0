import { KubeError } from "./errors.ts";
import type { ApplyOptions, KubeClient, KubeObject, Resource } from "./types.ts";
import { undeclaredFields, withoutField } from "./undeclared-fields.ts";

/** An answer names all that it found, and finds more once that is gone. */
const ROUNDS = 8;

export interface ApplyDeclared extends ApplyOptions {
  /** Hears what was left out: `status.nodes.outdated`. */
  readonly onLeftOut?: ((fields: readonly string[]) => void) | undefined;
}

/**
 * Server-side apply of what the kind knows. Any other write has unknown fields dropped; apply refuses the whole object for
 * them (structured-merge-diff; measured on 1.36), so with the CRD of an older release no status would be written at all, and the
 * last one would stand for ever. Throws what `apply` throws for any other reason.
 */
export async function applyDeclared(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  { onLeftOut, ...options }: ApplyDeclared,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const leftOut: string[] = [];
  let declared = object;
  for (let round = 1; ; round++) {
    try {
      const applied = await client.apply(resource, declared, options, signal);
      if (leftOut.length > 0) onLeftOut?.(leftOut);
      return applied;
    } catch (error) {
      const fields = error instanceof KubeError ? undeclaredFields(error.message) : [];
      if (fields.length === 0 || round === ROUNDS) throw error;
      for (const field of fields) {
        leftOut.push(field.join("."));
        declared = withoutField(declared, field);
      }
    }
  }
}
