import { CLUSTER_ADDRESS_ROLES, type ClusterAddressRole, SELECTED_NODES } from "../api/group.ts";
import type { ReconcileKind } from "./controller-metrics.ts";

type GroupRole = ClusterAddressRole | typeof SELECTED_NODES;

/** What a pass is about: the fleet as a whole, what nodes measure of each other, the range of new pods, one NodeState, one policy's status, one role of address groups. */
export type ReconcileKey =
  | "fleet"
  | "probes"
  | "pod-range"
  | `node/${string}`
  | `policy/${string}`
  | `groups/${GroupRole}`;

/** Those of which there is one. */
type OneKind = "fleet" | "probes" | "pod-range";

export type ParsedKey =
  | { readonly kind: OneKind }
  | { readonly kind: "node" | "policy"; readonly name: string }
  | { readonly kind: "groups"; readonly role: GroupRole };

export function parseKey(key: ReconcileKey): ParsedKey {
  const slash = key.indexOf("/");
  if (slash < 0) return { kind: key as OneKind };
  const kind = key.slice(0, slash) as Exclude<ReconcileKind, OneKind>;
  const name = key.slice(slash + 1);
  if (kind !== "groups") return { kind, name };
  const role = [...CLUSTER_ADDRESS_ROLES, SELECTED_NODES].find((candidate) => candidate === name);
  if (role === undefined) throw new Error(`no such role: ${key}`);
  return { kind, role };
}
