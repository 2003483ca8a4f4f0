import { hostname } from "node:os";
import type { Registry } from "prom-client";
import { type ClusterAddressRole, SELECTED_NODES } from "../api/group.ts";
import type { KubeClient } from "../kube/types.ts";
import { workQueue } from "../kube/work-queue.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import type { Logger } from "../telemetry/logger.ts";
import { changeHandlers } from "./change-handlers.ts";
import { controllerMetrics } from "./controller-metrics.ts";
import { eventRecorder } from "./event-recorder.ts";
import { type FleetRollout, fleetRollout } from "./fleet-rollout.ts";
import { liveness } from "./liveness.ts";
import { ownWrites } from "./own-writes.ts";
import type { PodRangeState } from "./pod-range.ts";
import { asksForPods } from "./pods-outcome.ts";
import { previewPatience } from "./preview-patience.ts";
import { reconcileAddressGroups } from "./reconcile-address-groups.ts";
import { type ParsedKey, parseKey, type ReconcileKey } from "./reconcile-key.ts";
import { reconcileNodeState } from "./reconcile-node-state.ts";
import { reconcilePodRange } from "./reconcile-pod-range.ts";
import { reconcilePolicyStatus } from "./reconcile-policy-status.ts";
import { reconcileProbes, type WrittenProbes } from "./reconcile-probes.ts";
import { reconcileSelectedNodes } from "./reconcile-selected-nodes.ts";
import type { ControllerSettings } from "./settings.ts";
import { type StatusPace, statusPace } from "./status-pace.ts";
import { type ControllerStores, unsynced } from "./stores.ts";
import { controllerWatches } from "./watches.ts";

export interface ControllerOptions {
  readonly client: KubeClient;
  /** The operator's own. */
  readonly namespace: string;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly settings: ControllerSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Controller {
  /** Runs until `signal` aborts; resolves when what was under way has ended. Nothing is cleaned up: rules stay. */
  run(signal: AbortSignal): Promise<void>;
  /** Why it cannot do its work yet; empty = ready. */
  unready(): readonly string[];
}

/** What must be known before anything is written to a NodeState (DESIGN 7.7), and before statuses are judged. */
const FLEET_STORES = ["policies", "nodes", "nodeStates"] as const;
const STATUS_STORES = [...FLEET_STORES, "leases"] as const;
const PROBES_STORES = ["nodes", "nodeStates", "leases"] as const;
const ROLE_STORES: Record<ClusterAddressRole | typeof SELECTED_NODES, readonly (keyof ControllerStores)[]> = {
  nodes: ["nodes", "shards"],
  pods: ["nodes", "shards"],
  apiservers: ["apiEndpoints", "shards"],
  "service-cidrs": ["serviceCidrs", "shards"],
  vips: ["services", "shards"],
  [SELECTED_NODES]: [...FLEET_STORES, "selectedShards"],
};

/** After so long it is looked anew whose turn it is, where a NodeState could not be written. */
const UNWRITTEN_MILLISECONDS = 10_000;

const LOOK_AGAIN_MILLISECONDS = 100;

/** Level-based: every pass looks at the caches as they are, so it does not matter what happened before it was started. */
export function createController({
  client,
  namespace,
  logger,
  registry,
  settings,
  now,
}: ControllerOptions): Controller {
  const silentAfterMilliseconds = settings.silentAfterSeconds * 1_000;
  const lives = liveness(now);
  const paces = new Map<string, StatusPace>();
  const waiting = new Set<ReconcileKey>();
  const written: WrittenProbes = new Map();
  const handed = ownWrites(now, () => queue.addAfter("fleet", UNWRITTEN_MILLISECONDS));
  const patience = previewPatience(now, settings.previewWaitMilliseconds);
  let turn: FleetRollout | undefined;
  /** As last looked at. */
  let podRange: PodRangeState | undefined;

  const queue = workQueue<ReconcileKey>({
    reconcile: pass,
    concurrency: settings.concurrency,
    onError: (err, key, retryInMilliseconds) => logger.warn({ err, key, retryInMilliseconds }, "pass failed"),
  });
  const add = (key: ReconcileKey) => {
    waiting.add(key);
    queue.add(key);
  };
  const events = eventRecorder({
    client,
    stores: () => watches.stores,
    logger,
    rates: settings.events,
    // In a pod this is the pod's name.
    instance: hostname(),
    now,
    onResult: (result) => metrics.countEvent(result),
  });
  const isSilent = (node: string) =>
    now() >= (lives.heardAt(node) ?? Number.NEGATIVE_INFINITY) + silentAfterMilliseconds;
  const handlers = changeHandlers({
    stores: () => watches.stores,
    queue: { add, addAfter: queue.addAfter },
    liveness: lives,
    handed,
    events,
    isSilent,
  });
  const watches = controllerWatches({
    client,
    namespace,
    handlers,
    compileOptions: { allowedSysctls: settings.allowedSysctls, nodePortRange: settings.nodePortRange },
    onSync: handlers.all,
    onError: (resource, err, retryInMilliseconds) => {
      metrics.countWatchError(resource);
      logger.warn({ err, resource, retryInMilliseconds }, "watch failed");
    },
  });
  const { stores } = watches;
  const metrics = controllerMetrics(registry, {
    stores,
    queueDepth: () => waiting.size,
    watched: watches.resources,
    missing: watches.missing,
  });

  async function pass(key: ReconcileKey, signal: AbortSignal): Promise<void> {
    waiting.delete(key);
    const parsed = parseKey(key);
    const started = performance.now();
    try {
      await reconcile(parsed, key, signal);
    } catch (error) {
      if (!signal.aborted) metrics.countError(parsed.kind);
      throw error;
    } finally {
      metrics.observePass(parsed.kind, (performance.now() - started) / 1_000);
    }
  }

  /** A store that is not synced yet ends the pass: its first complete list queues everything again. */
  async function reconcile(parsed: ParsedKey, key: ReconcileKey, signal: AbortSignal): Promise<void> {
    switch (parsed.kind) {
      case "fleet": {
        if (unsynced(stores, STATUS_STORES).length > 0) return;
        const fleet = {
          stores,
          written: handed,
          patience,
          heardAt: lives.heardAt,
          silentAfterMilliseconds,
          now: now(),
        };
        turn = fleetRollout(fleet);
        for (const name of turn.nodes) add(`node/${name}`);
        const { lookAgainInMilliseconds: again, previewing } = turn;
        // That their time is over is news to status, and to nobody's watch.
        for (const name of previewing) add(`policy/${name}`);
        if (again !== undefined) queue.addAfter(key, Math.max(again, LOOK_AGAIN_MILLISECONDS));
        return;
      }
      case "probes": {
        if (unsynced(stores, PROBES_STORES).length > 0) return;
        const isAlive = (node: string) => !isSilent(node);
        const again = await reconcileProbes({ client, stores, written, isAlive, now, signal });
        if (again !== undefined) queue.addAfter(key, again);
        return;
      }
      case "pod-range": {
        if (unsynced(stores, ["policies"]).length > 0) return;
        const { podRangeName: name } = settings;
        const found = await reconcilePodRange({ client, stores, name, signal });
        const news = canonicalJson(found) !== canonicalJson(podRange ?? {}) || podRange === undefined;
        podRange = found;
        if (news) for (const policy of stores.policies.list()) if (asksForPods(policy)) add(`policy/${policy.name}`);
        if (stores.policies.list().some(asksForPods)) queue.addAfter(key, settings.podRangeLookMilliseconds);
        return;
      }
      case "node": {
        if (unsynced(stores, FLEET_STORES).length > 0 || turn === undefined) return;
        const { name } = parsed;
        const { turnOf } = turn;
        const done = await reconcileNodeState(name, { client, stores, turnOf, written: handed, signal });
        if (done !== "Unchanged") logger.info({ node: name, done }, "NodeState reconciled");
        return;
      }
      case "policy": {
        if (unsynced(stores, STATUS_STORES).length > 0) return;
        const again = await reconcilePolicyStatus(parsed.name, {
          client,
          stores,
          silentAfterMilliseconds,
          nodePortRange: settings.nodePortRange,
          podRange,
          previewsOver: patience.over,
          heardAt: lives.heardAt,
          now,
          signal,
          pace: paceOf(parsed.name),
          onLeftOut: (fields) =>
            logger.warn(
              { policy: parsed.name, fields },
              "status written without fields that the kind does not know: its CRD is older",
            ),
        });
        if (again !== undefined) queue.addAfter(key, again);
        return;
      }
      case "groups": {
        const { role } = parsed;
        if (unsynced(stores, ROLE_STORES[role]).length > 0) return;
        const context = { client, stores, signal };
        return role === SELECTED_NODES ? reconcileSelectedNodes(context) : reconcileAddressGroups(role, context);
      }
    }
  }

  function paceOf(policy: string): StatusPace {
    const pace = paces.get(policy) ?? statusPace(settings.statusWrites);
    if (stores.policies.get({ name: policy }) === undefined) paces.delete(policy);
    else paces.set(policy, pace);
    return pace;
  }

  return {
    async run(signal) {
      await Promise.all([watches.run(signal), queue.run(signal), events.run(signal)]);
    },
    unready: () => watches.missing(),
  };
}
