import { CLUSTER_ADDRESS_ROLES, SELECTED_NODES } from "../api/group.ts";
import type { WorkQueue } from "../kube/work-queue.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Liveness } from "./liveness.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import type { OwnWrites } from "./own-writes.ts";
import type { ReconcileKey } from "./reconcile-key.ts";
import type { ControllerStores } from "./stores.ts";
import type { ChangeHandlers } from "./watches.ts";

/** Reports of a fleet are many; what they mean for roll-out is looked at in one go. */
const REPORTS_SETTLE_MILLISECONDS = 200;

export interface ChangeContext {
  readonly stores: () => ControllerStores;
  readonly queue: Pick<WorkQueue<ReconcileKey>, "add" | "addAfter">;
  readonly liveness: Liveness;
  readonly handed: Pick<OwnWrites, "gone">;
  readonly events: Pick<EventRecorder, "nodeChanged" | "policyChanged">;
  /** Whether the agent of this node counts as silent now. */
  readonly isSilent: (node: string) => boolean;
}

/** Which keys a change concerns. Nothing of the change itself is kept: the pass looks at everything anew. */
export function changeHandlers({
  stores,
  queue,
  liveness,
  handed,
  events,
  isSilent,
}: ChangeContext): ChangeHandlers & { all(): void } {
  const everyPolicy = () => {
    for (const { name } of stores().policies.list()) queue.add(`policy/${name}`);
  };
  return {
    all: () => {
      queue.add("fleet");
      queue.add("probes");
      queue.add("pod-range");
      everyPolicy();
      for (const role of [...CLUSTER_ADDRESS_ROLES, SELECTED_NODES] as const) queue.add(`groups/${role}`);
    },
    policies: (name, before, after) => {
      events.policyChanged(name);
      queue.add(`policy/${name}`);
      // Its status alone changed; a spec that changes has a new generation.
      if (before !== undefined && before.uid === after?.uid && before.generation === after.generation) {
        // An annotation changes no generation.
        const annotated = before.auditAsked !== after.auditAsked || before.retryAsked !== after.retryAsked;
        // That it shows what nodes say of a revision may be what its roll-out waits for.
        if (annotated || !same(before.status?.preview, after.status?.preview)) queue.add("fleet");
        return;
      }
      queue.add("fleet");
      queue.add("groups/selected-nodes");
      queue.add("pod-range");
      // The others may have won or lost a value by it.
      everyPolicy();
    },
    nodes: (_name, before, after) => {
      // A kubelet writes its Node for many reasons; few concern us.
      if (same(before, after)) return;
      queue.add("fleet");
      everyPolicy();
      queue.add("groups/nodes");
      queue.add("groups/pods");
      queue.add("probes");
      queue.add("groups/selected-nodes");
    },
    nodeStates: (name, before, after) => {
      events.nodeChanged(name);
      if (before !== undefined && before.uid !== after?.uid) handed.gone(name, before.uid);
      for (const policy of policiesOf(before, after)) queue.add(`policy/${policy}`);
      // An agent that cannot be told of a policy was never assigned it, so its name is not among these.
      if (!same(before?.agent, after?.agent)) everyPolicy();
      if (!same(before?.nodeSelections, after?.nodeSelections)) queue.add("groups/selected-nodes");
      if (!same(before?.probing, after?.probing)) queue.add("probes");
      if (same(specOf(before), specOf(after))) queue.addAfter("fleet", REPORTS_SETTLE_MILLISECONDS);
      else queue.add("fleet");
    },
    leases: (name, _before, after) => {
      const wasSilent = isSilent(name);
      liveness.observe(name, after);
      if (wasSilent === isSilent(name)) return;
      everyPolicy();
      queue.add("fleet");
      queue.add("probes");
    },
    services: (_name, before, after) => {
      queue.add("groups/vips");
      if (!same(before?.strayNodePorts ?? [], after?.strayNodePorts ?? [])) everyPolicy();
    },
    apiEndpoints: () => queue.add("groups/apiservers"),
    serviceCidrs: () => queue.add("groups/service-cidrs"),
    selectedShards: () => queue.add("groups/selected-nodes"),
    shards: (_name, before, after) => {
      for (const shard of [before, after]) if (shard !== undefined) queue.add(`groups/${shard.role}`);
    },
  };
}

function policiesOf(...states: readonly (NodeStateFacts | undefined)[]): ReadonlySet<string> {
  return new Set(
    states.flatMap((state) =>
      [...(state?.assigned ?? []), ...(state?.reported ?? []), ...comingTo(state)]
        .map(({ name }) => name)
        .concat(state?.keep ?? []),
    ),
  );
}

function comingTo(state: NodeStateFacts | undefined): readonly { readonly name: string }[] {
  const { asked = [], said = [] } = state?.coming ?? {};
  return [...asked, ...said];
}

function specOf(state: NodeStateFacts | undefined) {
  return state === undefined
    ? undefined
    : {
        uid: state.uid,
        ownerUid: state.ownerUid,
        assigned: state.assigned,
        request: state.auditRequest,
        skipped: state.skipped,
      };
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}
