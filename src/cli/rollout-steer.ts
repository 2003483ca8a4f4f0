import { RETRY_ANNOTATION } from "../api/rollout.ts";
import { resources } from "../kube/resources.ts";
import { retryOnConflict } from "../kube/retry-on-conflict.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import { isRecord } from "../kube/wire.ts";

type Writing = Pick<KubeClient, "get" | "replace">;

/** Sets spec.rollout.paused; false: it stood so already. Throws where there is no such policy. */
export async function pauseRollout(client: Writing, name: string, paused: boolean): Promise<boolean> {
  return change(client, name, (policy) => {
    const { spec } = policy as { readonly spec?: unknown };
    const rollout = isRecord(spec) && isRecord(spec["rollout"]) ? spec["rollout"] : {};
    if ((rollout["paused"] === true) === paused) return undefined;
    const changed: KubeObject & { readonly spec: object } = {
      ...policy,
      spec: { ...(isRecord(spec) ? spec : {}), rollout: { ...rollout, paused } },
    };
    return changed;
  });
}

/** Nodes that failed try again whenever the annotation changes. */
export async function retryRollout(client: Writing, name: string, now: Date): Promise<boolean> {
  return change(client, name, ({ metadata, ...rest }) => {
    const annotations = { ...metadata.annotations, [RETRY_ANNOTATION]: now.toISOString() };
    return { ...rest, metadata: { ...metadata, annotations } };
  });
}

async function change(
  client: Writing,
  name: string,
  changed: (policy: KubeObject) => KubeObject | undefined,
): Promise<boolean> {
  return retryOnConflict(async () => {
    const policy = await client.get(resources.policies, { name });
    if (policy === undefined) throw new Error(`there is no PortHardeningPolicy ${name}`);
    const wanted = changed(policy);
    if (wanted !== undefined) await client.replace(resources.policies, wanted);
    return wanted !== undefined;
  });
}
