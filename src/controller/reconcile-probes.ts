import { resources } from "../kube/resources.ts";
import { retryOnConflict } from "../kube/retry-on-conflict.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import { isRecord } from "../kube/wire.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import { type Probing, type ProbingNode, planProbes } from "./plan-probes.ts";
import { NO_PROBING, requestsOf } from "./probing-facts.ts";
import type { ControllerStores } from "./stores.ts";
import { fieldAt } from "./wire-fields.ts";

interface WrittenProbing {
  readonly uid: string;
  readonly generation: number;
  readonly wrote: Probing;
}

/** What this controller wrote and its cache may not show yet, by node: else one request would be given to two peers. */
export type WrittenProbes = Map<string, WrittenProbing>;

export interface ProbesContext {
  readonly client: KubeClient;
  readonly stores: Pick<ControllerStores, "nodes" | "nodeStates">;
  readonly written: WrittenProbes;
  /** Whether the agent of this node was heard of lately. */
  readonly isAlive: (node: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Time alone changes the answer where an agent falls silent, or takes too long. */
const LOOK_AGAIN_MILLISECONDS = 30_000;
const WRITES_AT_ONCE = 8;

/**
 * Hands requests of nodes to peers, and what they measured back: one look at the whole fleet, written where a NodeState
 * says something else. Returns in how many milliseconds to look again; undefined: when something changes.
 */
export async function reconcileProbes(context: ProbesContext): Promise<number | undefined> {
  const { stores, now } = context;
  if (stores.nodeStates.list().every(({ probing }) => probing === NO_PROBING)) return undefined;
  const nodes = stores.nodes.list().flatMap(({ name }) => probingNode(name, context) ?? []);
  const planned = planProbes(nodes, now());
  const differing = nodes.filter(({ node: { name }, probing }) => !same(planned.get(name), probing));
  const failures: unknown[] = [];
  for (let at = 0; at < differing.length; at += WRITES_AT_ONCE) {
    const writes = differing.slice(at, at + WRITES_AT_ONCE).map(async ({ node: { name } }) => {
      await write(name, planned.get(name) ?? { probes: [], answers: [] }, context);
    });
    // One NodeState that cannot be written keeps no other from being.
    for (const done of await Promise.allSettled(writes)) if (done.status === "rejected") failures.push(done.reason);
  }
  if (failures.length > 0) throw failures[0];
  return nodes.some(({ probing }) => requestsOf(probing).length > 0) ? LOOK_AGAIN_MILLISECONDS : undefined;
}

function probingNode(name: string, { stores, written, isAlive }: ProbesContext): ProbingNode | undefined {
  const node = stores.nodes.get({ name });
  const state = stores.nodeStates.get({ name });
  // A NodeState of a Node that was registered anew is made anew first.
  if (node === undefined || state === undefined || state.ownerUid !== node.uid) return undefined;
  const own = written.get(name);
  const lags = own !== undefined && own.uid === state.uid && state.generation < own.generation;
  if (!lags) written.delete(name);
  const probing = lags ? { ...state.probing, ...own.wrote } : state.probing;
  return { node, available: node.ready && isAlive(name), probing };
}

/** Into the newest object: policies, and whatever else its spec says, stay as they are. */
async function write(name: string, wanted: Probing, { client, stores, written, signal }: ProbesContext): Promise<void> {
  const { probes, answers: probeAnswers } = wanted;
  const replaced = await retryOnConflict(async () => {
    const current = await client.get(resources.nodeStates, { name }, signal);
    const spec = fieldAt(current, "spec");
    if (current === undefined || current.metadata.uid !== stores.nodeStates.get({ name })?.uid) return undefined;
    if (!isRecord(spec)) return undefined;
    const { probes: _, probeAnswers: __, ...others } = spec;
    const made = {
      ...others,
      ...(probes.length === 0 ? {} : { probes }),
      ...(probeAnswers.length === 0 ? {} : { probeAnswers }),
    };
    return client.replace(resources.nodeStates, { ...current, spec: made } as KubeObject, signal);
  }, signal);
  const { uid, generation } = replaced?.metadata ?? {};
  if (uid !== undefined && generation !== undefined) written.set(name, { uid, generation, wrote: wanted });
}

function same(planned: Probing | undefined, { probes, answers }: Probing): boolean {
  return planned !== undefined && canonicalJson(planned) === canonicalJson({ probes, answers });
}
