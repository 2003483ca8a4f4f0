import { applyDeclared } from "./apply-declared.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";
import type { KubeClient, KubeObject, ObjectKey, Resource } from "./types.ts";

export interface StatusUpdate<Status> {
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly fieldManager: string;
  /** The whole status that this manager wants, from the newest object; undefined leaves it as it is. May run several times. */
  readonly desired: (current: KubeObject) => Status | undefined;
  readonly signal?: AbortSignal;
  /** Hears which fields the kind that is served does not know: they were left out. */
  readonly onLeftOut?: (fields: readonly string[]) => void;
}

/**
 * Server-side apply of the status at the version that `desired` saw; where the object has moved on, read and decided anew. What
 * this manager had written before and no longer names is removed. Gives the object as it is now; undefined where there is
 * none. Throws the last ConflictError after five of them.
 */
export async function updateStatus<Status extends object>(
  client: KubeClient,
  { resource, key, fieldManager, desired, signal, onLeftOut }: StatusUpdate<Status>,
): Promise<KubeObject | undefined> {
  return retryOnConflict(async () => {
    const current = await client.get(resource, key, signal);
    if (current === undefined) return undefined;
    const status = desired(current);
    if (status === undefined) return current;
    const { name, namespace, uid, resourceVersion } = current.metadata;
    const { apiVersion, kind } = current;
    const object = { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, status };
    return applyDeclared(client, resource, object, { fieldManager, subresource: "status", onLeftOut }, signal);
  }, signal);
}
