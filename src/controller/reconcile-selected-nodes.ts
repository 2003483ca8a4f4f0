import { publishShards, removeShards } from "./publish-shards.ts";
import type { AddressGroupContext } from "./reconcile-address-groups.ts";
import { type NodeSelection, nodeSelectionsIn, selectedAddresses } from "./selected-nodes.ts";
import { selectedShardObject } from "./selected-shard.ts";
import type { ControllerStores } from "./stores.ts";

/**
 * Publishes the addresses of the nodes that policies select as peers, one list for each selector, and removes the lists
 * that nobody uses any more. So a node that comes or goes changes a group, and no NodeState. Expects policies, nodes,
 * nodeStates and selectedShards to be synced.
 */
export async function reconcileSelectedNodes(context: AddressGroupContext): Promise<void> {
  const { stores } = context;
  const used = usedSelections(stores);
  const published = Map.groupBy(stores.selectedShards.list(), ({ hash }) => hash);
  for (const [hash, selection] of used) {
    const wanted = selectedAddresses(selection.selector, stores.nodes.list());
    const object = (index: number, addresses: readonly string[]) => selectedShardObject(selection, index, addresses);
    await publishShards({ wanted, published: published.get(hash) ?? [], alsoEmpty: true, object }, context);
  }
  for (const [hash, shards] of published) if (!used.has(hash)) await removeShards(shards, context);
}

/** Of the policies as they are, and as nodes still have them: those may be an older revision. By hash. */
function usedSelections({ policies, nodeStates }: ControllerStores): ReadonlyMap<string, NodeSelection> {
  const wanted = policies
    .list()
    .flatMap(({ compiled }) => (compiled.outcome === "Compiled" ? nodeSelectionsIn(compiled.element.plan) : []));
  const assigned = nodeStates.list().flatMap(({ nodeSelections }) => nodeSelections);
  return new Map([...wanted, ...assigned].map((selection) => [selection.hash, selection]));
}
