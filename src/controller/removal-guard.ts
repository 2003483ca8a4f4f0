import { NotServedError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, Resource } from "../kube/types.ts";

/** Something was to be taken off a node while it is not certain that a user meant it. Retried; the rules stay. */
export class RemovalRefusedError extends Error {
  override readonly name = "RemovalRefusedError";
}

const POLICY_CRD = `${resources.policies.plural}.${resources.policies.group}`;
const crds: Resource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};

/**
 * Passes only where taking policies off a node is what a user asked for (DESIGN 7.7): their CRD stands and is not being
 * deleted (that deletes all policies first, which looks the same in a watch), and each of `deleted`, policies that the
 * cache no longer holds, is really gone. Reads the API server, not the cache: what was seen there came before.
 * Throws RemovalRefusedError.
 */
export async function confirmRemoval(
  client: KubeClient,
  deleted: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const crd = await client.get(crds, { name: POLICY_CRD }, signal);
  if (crd === undefined) throw new RemovalRefusedError(`CRD ${POLICY_CRD} is absent`);
  if (crd.metadata.deletionTimestamp !== undefined) throw new RemovalRefusedError(`CRD ${POLICY_CRD} is being deleted`);
  for (const name of deleted) {
    if (await policyExists(client, name, signal)) throw new RemovalRefusedError(`policy ${name} exists`);
  }
}

async function policyExists(client: KubeClient, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.get(resources.policies, { name }, signal)) !== undefined;
  } catch (error) {
    if (!(error instanceof NotServedError)) throw error;
    throw new RemovalRefusedError("policies are not served", { cause: error });
  }
}
