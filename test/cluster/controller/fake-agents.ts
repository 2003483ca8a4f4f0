import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { renewLease } from "../../../src/kube/lease.ts";
import { reflector } from "../../../src/kube/reflector.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import { updateStatus } from "../../../src/kube/update-status.ts";
import { workQueue } from "../../../src/kube/work-queue.ts";
import { canonicalJson } from "../../../src/plan/canonical-json.ts";

/** How the agent of a node behaves: it says so at once, says something else, or nothing at all. */
export type Behaviour = "Enforces" | "Fails" | "Evaded" | "Warns" | "Silent" | "WritesNonsense";

export interface AssignedElement {
  readonly name: string;
  readonly uid: string;
  readonly hash: string;
  readonly priority: number;
  readonly plan: Readonly<Record<string, unknown>>;
}

export interface FakeAgents {
  /** From now on; Enforces where nothing else was said. */
  behave(node: string, behaviour: Behaviour): void;
  /** From when its NodeState changes next. */
  behaveFromNextSpec(node: string, behaviour: Behaviour): void;
  /** From now on these fields stand in its status as well. */
  report(node: string, fields: Partial<NodeStateStatus>): void;
  /** Every spec that an agent of this node could have seen, in order: names of the policies, those that it is to keep included. */
  specsSeen(node: string): readonly string[][];
  stop(): Promise<void>;
}

export function specPolicies(state: KubeObject | undefined): readonly AssignedElement[] {
  const { spec } = (state ?? {}) as { readonly spec?: { readonly policies?: readonly AssignedElement[] } };
  return spec?.policies ?? [];
}

function keptIn(state: KubeObject): readonly string[] {
  const { spec } = state as { readonly spec?: { readonly keep?: readonly string[] } };
  return spec?.keep ?? [];
}

/** Agents without a kernel: each answers its NodeState and renews its Lease on every change. */
export function startFakeAgents(client: KubeClient, namespace: string): FakeAgents {
  const behaviours = new Map<string, Behaviour>();
  const reports = new Map<string, Partial<NodeStateStatus>>();
  const nexts = new Map<string, { readonly behaviour: Behaviour; readonly from: number }>();
  const specs = new Map<string, string[][]>();
  const end = new AbortController();
  const queue = workQueue<string>({ reconcile: answer, concurrency: 8 });
  const states = reflector<KubeObject>({
    client,
    resource: resources.nodeStates,
    parse: (object) => object,
    onChange: ({ key: { name }, after }) => {
      const seen = specs.get(name) ?? [];
      if (after !== undefined)
        seen.push([...specPolicies(after).map((element) => element.name), ...keptIn(after)].toSorted());
      specs.set(name, seen);
      const next = nexts.get(name);
      if (next !== undefined && next.from < (after?.metadata.generation ?? 0)) {
        behaviours.set(name, next.behaviour);
        nexts.delete(name);
      }
      queue.add(name);
    },
  });
  const running = Promise.all([states.run(end.signal), queue.run(end.signal)]);

  async function answer(name: string, signal: AbortSignal): Promise<void> {
    const behaviour = behaviours.get(name) ?? "Enforces";
    if (behaviour === "Silent") return;
    await renewLease(client, { namespace, name, holder: name, durationSeconds: 180 }, new Date(), signal);
    await updateStatus(client, {
      resource: resources.nodeStates,
      key: { name },
      fieldManager: "agent",
      desired: (current) => statusOf(behaviour, current, reports.get(name)),
      signal,
    });
  }

  return {
    behave(node, behaviour) {
      behaviours.set(node, behaviour);
      queue.add(node);
    },
    behaveFromNextSpec(node, behaviour) {
      nexts.set(node, { behaviour, from: states.store.get({ name: node })?.metadata.generation ?? 0 });
    },
    report(node, fields) {
      reports.set(node, { ...reports.get(node), ...fields });
      queue.add(node);
    },
    specsSeen: (node) => specs.get(node) ?? [],
    async stop() {
      end.abort();
      await running;
    },
  };
}

function statusOf(behaviour: Behaviour, state: KubeObject, fields: Partial<NodeStateStatus> = {}): object | undefined {
  const { status } = state as KubeObject & { readonly status?: unknown };
  const fates: Partial<Record<Behaviour, object>> = {
    Fails: { state: "Failed", reason: "RestoreFailed", message: "iptables-restore: line 7 failed" },
    Evaded: { state: "NotEnforceable", reason: "HookEvaded", message: "OUTPUT (v4): accepted ahead of ours" },
    Warns: { state: "Enforced", reason: "ListenerInRange", message: "something listens on TCP 50051" },
  };
  const fate = fates[behaviour] ?? { state: "Enforced" };
  const policies = specPolicies(state).map(({ name, uid, hash }) => ({
    name,
    uid,
    hash: behaviour === "WritesNonsense" ? "0000" : hash,
    since: "2026-01-01T00:00:00Z",
    ...fate,
    droppedPackets: 2,
  }));
  const desired = { policies, ephemeralPorts: { range: "49152-65535" }, ...fields };
  return canonicalJson(desired) === canonicalJson(status) ? undefined : desired;
}
