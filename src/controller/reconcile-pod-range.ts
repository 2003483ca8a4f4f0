import { POD_RANGE_NAME } from "../api/pod-range.ts";
import { ForbiddenError, NotServedError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../kube/types.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import {
  bindsPodRange,
  type GivenRange,
  type PodRangeState,
  parseGivenRange,
  podRangeObject,
  wantedRange,
} from "./pod-range.ts";
import { confirmRemoval } from "./removal-guard.ts";
import type { ControllerStores } from "./stores.ts";

export interface PodRangeContext {
  readonly client: KubeClient;
  readonly stores: Pick<ControllerStores, "policies">;
  /** Of the MutatingAdmissionPolicy and of its binding, as they are installed. */
  readonly name: string;
  readonly signal: AbortSignal;
}

const INSTALL = "install it (the chart's podRange.enabled, or deploy/pod-range.yaml)";

/**
 * Writes what new pods shall get, and finds out whether they do. That one object is all that is ever written: what mutates
 * pods is fixed at install. Expects policies to be synced. Throws RemovalRefusedError where what is given would go though it
 * is not certain that a user meant it.
 */
export async function reconcilePodRange(context: PodRangeContext): Promise<PodRangeState> {
  const { client, stores, signal } = context;
  const policies = stores.policies.list().map(({ compiled }) => compiled);
  const wanted = wantedRange(policies);
  // Where nobody asks, a refusal is an error: pods might get what no policy asks for any more, and no status would say so.
  const there = await read(context, resources.podRanges, POD_RANGE_NAME, wanted !== undefined);
  if (typeof there === "string") return wanted === undefined ? {} : { problem: there };
  const given = parseGivenRange(there);
  const holder = policies.find((one) => one.name === given?.policy);
  if (given !== undefined && holder !== undefined && holder.outcome !== "Compiled") {
    // As on nodes: what cannot be compiled keeps its last revision.
    return { given, ...(wanted === undefined ? {} : { problem: keptBy(given) }) };
  }
  if (given !== undefined && holder === undefined) await confirmRemoval(client, [given.policy], signal);
  await write(context, there, wanted);
  if (wanted === undefined) return {};
  const problem = await obstacle(context);
  return { given: wanted, ...(problem === undefined ? {} : { problem }) };
}

function keptBy({ policy, range }: GivenRange): string {
  return `policy ${policy}, which cannot be compiled, keeps the range that it gave them (${range})`;
}

/** A conflict ends the pass, and the next one decides anew. */
async function write(
  { client, signal }: PodRangeContext,
  there: KubeObject | undefined,
  wanted: GivenRange | undefined,
): Promise<void> {
  if (wanted === undefined) {
    if (there !== undefined) await client.delete(resources.podRanges, { name: POD_RANGE_NAME }, signal);
    return;
  }
  const object = podRangeObject(wanted);
  if (there === undefined) await client.create(resources.podRanges, object, signal);
  else if (canonicalJson(parseGivenRange(there) ?? {}) !== canonicalJson(wanted)) {
    await client.replace(resources.podRanges, { ...object, metadata: there.metadata }, signal);
  }
}

/** Why what is given comes to no pod; undefined where it does. */
async function obstacle(context: PodRangeContext): Promise<string | undefined> {
  const { name } = context;
  const parts = [resources.mutatingAdmissionPolicies, resources.mutatingAdmissionPolicyBindings];
  const [policy, binding] = await Promise.all(parts.map((resource) => read(context, resource, name)));
  for (const [index, part] of [policy, binding].entries()) {
    if (typeof part === "string") return part;
    if (part === undefined) return `${parts[index]?.kind} ${name} is not there: ${INSTALL}`;
  }
  if (typeof binding === "object" && bindsPodRange(binding, name)) return undefined;
  return `MutatingAdmissionPolicyBinding ${name} binds something else: ${INSTALL}`;
}

/** The object, or why it cannot be had; undefined: there is none. */
async function read(
  { client, signal }: PodRangeContext,
  resource: Resource,
  name: string,
  tellRefusal = true,
): Promise<KubeObject | string | undefined> {
  const { kind, group, version } = resource;
  try {
    return await client.get(resource, { name }, signal);
  } catch (error) {
    if (error instanceof NotServedError) {
      const since = resource === resources.podRanges ? "its CRD is missing" : "Kubernetes 1.36 and later do";
      return `the API server does not serve ${kind} in ${group}/${version}: ${since}`;
    }
    if (error instanceof ForbiddenError && tellRefusal)
      return `the controller may not read ${kind} ${name}: ${error.message}`;
    throw error;
  }
}
