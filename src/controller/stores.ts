import type { Store } from "../kube/types.ts";
import type { AddressFacts } from "./cluster-addresses.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import type { PublishedShard } from "./published-shard.ts";
import type { SelectedShard } from "./selected-shard.ts";
import type { ServiceFacts } from "./service-facts.ts";

/** Everything that the controller knows: caches of what the API server has, and nothing else. */
export interface ControllerStores {
  readonly policies: Store<PolicyFacts>;
  readonly nodes: Store<NodeFacts>;
  readonly nodeStates: Store<NodeStateFacts>;
  /** renewTime of each node's Lease. */
  readonly leases: Store<string>;
  readonly services: Store<ServiceFacts>;
  readonly apiEndpoints: Store<AddressFacts>;
  readonly serviceCidrs: Store<AddressFacts>;
  readonly shards: Store<PublishedShard>;
  readonly selectedShards: Store<SelectedShard>;
}

/** The stores among `names` whose first complete list has not arrived: nothing may be concluded from absence there. */
export function unsynced(stores: ControllerStores, names: readonly (keyof ControllerStores)[]): string[] {
  return names.filter((name) => !stores[name].synced);
}
