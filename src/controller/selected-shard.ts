import { ADDRESS_GROUP_KIND, API_VERSION, NODE_SELECTOR_LABEL, SELECTED_NODES } from "../api/group.ts";
import type { KubeObject } from "../kube/types.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import { isSelectedNodes, selectedNodesGroup } from "../plan/selected-nodes.ts";
import type { Shard } from "./publish-shards.ts";
import type { NodeSelection } from "./selected-nodes.ts";
import { fieldAt, stringsAt } from "./wire-fields.ts";

/** One of the groups `cluster-selected-nodes-<hash of the selector>-<index>`, as it stands in the cluster. */
export interface SelectedShard extends Shard {
  readonly hash: string;
}

const NAME = new RegExp(`^cluster-${SELECTED_NODES}-([0-9a-f]{16})-(0|[1-9][0-9]{0,8})$`);

/** undefined where the name is not one of ours. */
export function parseSelectedShard(object: KubeObject): SelectedShard | undefined {
  const { name, uid = "", labels = {} } = object.metadata;
  const [, hash, index] = NAME.exec(name) ?? [];
  if (hash === undefined) return undefined;
  const addresses = stringsAt(fieldAt(object, "spec"), "addresses");
  return { name, uid, hash, index: Number(index), addresses, labelled: isSelectedNodes(labels, hash) };
}

/** The group as it shall be published; people read the selector in its annotation. */
export function selectedShardObject({ hash, selector }: NodeSelection, index: number, wanted: readonly string[]) {
  const { name, labels, addresses } = selectedNodesGroup(hash, index, wanted);
  return {
    apiVersion: API_VERSION,
    kind: ADDRESS_GROUP_KIND,
    metadata: { name, labels, annotations: { [NODE_SELECTOR_LABEL]: canonicalJson(selector) } },
    spec: { addresses },
  } satisfies KubeObject & { readonly spec: unknown };
}
