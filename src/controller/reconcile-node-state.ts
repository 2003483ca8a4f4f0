import { API_VERSION, NODE_STATE_KIND } from "../api/group.ts";
import { resources } from "../kube/resources.ts";
import { retryOnConflict } from "../kube/retry-on-conflict.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import { isRecord } from "../kube/wire.ts";
import { auditRequest } from "./audit-request.ts";
import { desiredPolicies } from "./desired-policies.ts";
import type { TurnOf } from "./fleet-rollout.ts";
import type { NodeFacts } from "./node-facts.ts";
import { type AssignedFacts, type NodeStateFacts, parseNodeStateFacts } from "./node-state-facts.ts";
import { type NodeTarget, nodeTarget } from "./node-target.ts";
import type { Handed, OwnWrites } from "./own-writes.ts";
import { previewElements } from "./preview-elements.ts";
import { confirmRemoval } from "./removal-guard.ts";
import type { ControllerStores } from "./stores.ts";
import { fieldAt, recordsAt } from "./wire-fields.ts";

export interface NodeStateContext {
  readonly client: KubeClient;
  readonly stores: ControllerStores;
  /** As it was when this pass began. */
  readonly turnOf: TurnOf;
  readonly written: OwnWrites;
  readonly signal: AbortSignal;
}

interface Wanted extends NodeTarget {
  readonly auditRequest: string | undefined;
}

type Done = "Unchanged" | "Written" | "Deleted";

/**
 * Makes the NodeState of one node match, in one write that holds all of its policies: an agent never sees an empty one
 * on the way. Throws RemovalRefusedError where policies would leave the node and it is not certain that they should.
 */
export async function reconcileNodeState(name: string, context: NodeStateContext): Promise<Done> {
  const { client, stores, written, signal } = context;
  const node = stores.nodes.get({ name });
  const cached = stores.nodeStates.get({ name });
  if (node === undefined) return deleteOrphan(cached, context);
  const target = targetOf(node, cached, context);
  if (matches(node, cached, target)) return "Unchanged";
  // Whoever looks at the fleet from here on sees it as handed over.
  written.begin(name, handedBy(target, cached));
  try {
    const done = await retryOnConflict(async () => {
      // Plans are not cached, and the cache may lag behind our own last write: what is written is decided on the newest.
      const current = await client.get(resources.nodeStates, { name }, signal);
      return write(node, current, context);
    }, signal);
    written.end(name, done);
    return done === undefined ? "Unchanged" : "Written";
  } catch (error) {
    written.end(name, undefined);
    throw error;
  }
}

function handedBy({ set, keep, unawaited }: NodeTarget, cached: NodeStateFacts | undefined): Handed {
  const kept = cached?.assigned.filter(({ name }) => keep.includes(name)) ?? [];
  const made = set.map(
    ({ name, uid, hash, mode }): AssignedFacts => ({
      name,
      uid,
      hash,
      ...(mode === "Observe" ? { observes: true } : {}),
    }),
  );
  return { assigned: [...made, ...kept], unawaited };
}

/** undefined: it was so already. */
async function write(node: NodeFacts, current: KubeObject | undefined, context: NodeStateContext) {
  const { client, stores, signal } = context;
  const state = current && parseNodeStateFacts(current);
  const target = targetOf(node, state, context);
  if (matches(node, state, target)) return undefined;
  const reborn = state?.ownerUid !== undefined && state.ownerUid !== node.uid;
  const empty = target.set.length + target.keep.length + target.keepOnNode.length === 0;
  const { name, uid } = node;
  const ownerReferences = [{ apiVersion: "v1", kind: "Node", name, uid }];
  const kept = recordsAt(fieldAt(current, "spec"), "policies").filter((element) =>
    target.keep.includes(String(element["name"])),
  );
  const policies = [...target.set, ...kept];
  const made = {
    apiVersion: API_VERSION,
    kind: NODE_STATE_KIND,
    metadata: { name, ownerReferences },
    spec: {
      policies,
      ...(target.previews.length === 0 ? {} : { previews: previewElements(target.previews, policies) }),
      ...(target.keepOnNode.length === 0 ? {} : { keep: target.keepOnNode }),
      ...(target.unawaited.length === 0 ? {} : { unawaited: target.unawaited }),
      ...(target.auditRequest === undefined ? {} : { auditRequest: target.auditRequest }),
      ...(node.skipped ? { skipped: true } : {}),
    },
  };
  // A NodeState that is empty clears the node, whether it is emptied or made so.
  if (target.remove.length > 0 || (empty && (state === undefined || reborn))) {
    const deleted = target.remove.filter((policy) => stores.policies.get({ name: policy }) === undefined);
    await confirmRemoval(client, deleted, signal);
  }
  const { uid: stateUid = "", generation = 0 } = (await send(made, current, reborn, context)).metadata;
  return { uid: stateUid, generation };
}

async function send(
  made: KubeObject & { readonly spec: object },
  current: KubeObject | undefined,
  reborn: boolean,
  { client, signal }: NodeStateContext,
): Promise<KubeObject> {
  if (current !== undefined && !reborn) {
    // Not server-side apply: that leaves elements which others added, and drops `spec` itself with the last of ours (measured on 1.36).
    const spec = { ...othersOf(current), ...made.spec };
    const { ownerReferences } = made.metadata;
    const replaced: KubeObject & { spec: object } = {
      ...current,
      ...made,
      spec,
      metadata: { ...current.metadata, ownerReferences },
    };
    return client.replace(resources.nodeStates, replaced, signal);
  }
  if (current !== undefined) {
    // The Node was registered anew: its NodeState would be collected with the old one, and its status speaks of that.
    const { name, uid = "" } = current.metadata;
    await client.delete(resources.nodeStates, { name, uid }, signal);
  }
  return client.create(resources.nodeStates, made, signal);
}

/** What else the spec says is written by other passes. */
function othersOf(current: KubeObject): object {
  const spec = fieldAt(current, "spec");
  const {
    policies: _,
    auditRequest: __,
    keep: ___,
    unawaited: ____,
    skipped: _____,
    previews: ______,
    ...others
  } = isRecord(spec) ? spec : {};
  return others;
}

async function deleteOrphan(state: NodeStateFacts | undefined, { client, signal }: NodeStateContext): Promise<Done> {
  if (state === undefined) return "Unchanged";
  const { name, uid } = state;
  // The cache may lag behind a Node that is there again.
  if ((await client.get(resources.nodes, { name }, signal)) !== undefined) return "Unchanged";
  await client.delete(resources.nodeStates, { name, uid }, signal);
  return "Deleted";
}

function targetOf(node: NodeFacts, state: NodeStateFacts | undefined, { stores, turnOf }: NodeStateContext): Wanted {
  const compiled = stores.policies.list().map((facts) => facts.compiled);
  const desired = desiredPolicies(compiled, node, state);
  return {
    // A way out waits for no roll-out's turn.
    ...nodeTarget(desired, state, (policy, revision) =>
      node.skipped ? "Awaited" : turnOf(policy, node.name, revision),
    ),
    auditRequest: auditRequest(node, desired.keys(), stores.policies),
  };
}

function matches(node: NodeFacts, state: NodeStateFacts | undefined, target: Wanted): boolean {
  return (
    !target.differs &&
    !target.asks &&
    state?.ownerUid === node.uid &&
    state.auditRequest === target.auditRequest &&
    state.skipped === node.skipped
  );
}
