import { CLUSTER_ADDRESSES_LABEL, SELECTED_NODES } from "../api/group.ts";
import { reflector } from "../kube/reflector.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject, ListOptions, ObjectKey, Reflector, Resource } from "../kube/types.ts";
import type { CompileOptions } from "../plan/compile.ts";
import { parseEndpointAddresses, parseServiceCidr } from "./cluster-addresses.ts";
import { parseNodeFacts } from "./node-facts.ts";
import { parseNodeStateFacts } from "./node-state-facts.ts";
import { parsePolicyFacts } from "./policy-facts.ts";
import { parsePublishedShard } from "./published-shard.ts";
import { parseSelectedShard } from "./selected-shard.ts";
import { parseService } from "./service-facts.ts";
import type { ControllerStores } from "./stores.ts";
import { fieldAt } from "./wire-fields.ts";

type Kept<Name extends keyof ControllerStores> = ControllerStores[Name] extends { get(key: ObjectKey): infer T }
  ? Exclude<T, undefined>
  : never;

/** What to do when a cache changed: the values before and after. */
export type ChangeHandlers = {
  readonly [Name in keyof ControllerStores]: (
    name: string,
    before: Kept<Name> | undefined,
    after: Kept<Name> | undefined,
  ) => void;
};

export interface WatchOptions {
  readonly client: KubeClient;
  /** The operator's own, where the Leases are. */
  readonly namespace: string;
  readonly compileOptions: Required<CompileOptions>;
  readonly handlers: ChangeHandlers;
  readonly onSync: () => void;
  readonly onError: (resource: string, error: unknown, retryInMilliseconds: number) => void;
}

export interface Watches {
  readonly stores: ControllerStores;
  /** What `onError` may name. */
  readonly resources: readonly string[];
  /** Why a cache is not complete yet, or not followed any more; empty where all are. */
  missing(): readonly string[];
  run(signal: AbortSignal): Promise<void>;
}

/** One reflector per kind. `parse` decides what is kept in memory. */
export function controllerWatches({
  client,
  namespace,
  compileOptions,
  handlers,
  onSync,
  onError,
}: WatchOptions): Watches {
  const running = new Map<keyof ControllerStores, Reflector<unknown>>();
  const resourcesWatched = new Set<string>();
  function watch<Name extends keyof ControllerStores>(
    name: Name,
    resource: Resource,
    parse: (object: KubeObject) => Kept<Name> | undefined,
    select: ListOptions = {},
  ) {
    const own = reflector<Kept<Name>>({
      client,
      resource,
      select,
      parse,
      onSync,
      onChange: ({ key, before, after }) => handlers[name](key.name, before, after),
      onError: (error, retryInMilliseconds) => onError(resource.plural, error, retryInMilliseconds),
    });
    running.set(name, own);
    resourcesWatched.add(resource.plural);
    return own.store;
  }
  const stores: ControllerStores = {
    policies: watch("policies", resources.policies, (object) => parsePolicyFacts(object, compileOptions)),
    nodes: watch("nodes", resources.nodes, parseNodeFacts),
    nodeStates: watch("nodeStates", resources.nodeStates, parseNodeStateFacts),
    leases: watch("leases", resources.leases, parseRenewTime, { namespace }),
    services: watch("services", resources.services, (object) => parseService(object, compileOptions.nodePortRange)),
    apiEndpoints: watch("apiEndpoints", resources.endpointSlices, parseEndpointAddresses, {
      namespace: "default",
      labelSelector: "kubernetes.io/service-name=kubernetes",
    }),
    serviceCidrs: watch("serviceCidrs", resources.serviceCidrs, parseServiceCidr),
    shards: watch("shards", resources.addressGroups, parsePublishedShard, { labelSelector: CLUSTER_ADDRESSES_LABEL }),
    selectedShards: watch("selectedShards", resources.addressGroups, parseSelectedShard, {
      labelSelector: `${CLUSTER_ADDRESSES_LABEL}=${SELECTED_NODES}`,
    }),
  };
  return {
    stores,
    resources: [...resourcesWatched],
    missing: () =>
      [...running].flatMap(([name, { store, refusal }]) => {
        const what = store.synced ? "not followed any more" : "no complete list yet";
        if (refusal !== undefined) return `${name}: ${what}: ${refusal}`;
        return store.synced ? [] : `${name}: ${what}`;
      }),
    async run(signal) {
      await Promise.all([...running.values()].map((own) => own.run(signal)));
    },
  };
}

function parseRenewTime(object: KubeObject): string | undefined {
  const renewTime = fieldAt(fieldAt(object, "spec"), "renewTime");
  return typeof renewTime === "string" ? renewTime : undefined;
}
