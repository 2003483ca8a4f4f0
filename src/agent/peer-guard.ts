import { CLUSTER_ADDRESSES_LABEL } from "../api/group.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { judge } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { containsPrefix } from "../plan/prefix.ts";
import { parseAddress } from "../plan/prefix-lookup.ts";
import { parsePrefix } from "../plan/prefix-text.ts";
import type { GroupAddresses } from "../plan/types.ts";
import type { PathGuard } from "./peer-prober.ts";

export interface PeerGuardOptions {
  readonly kernel: Pick<Kernel, "network">;
  readonly groups: () => readonly GroupAddresses[];
  /** What is in force on this node. */
  readonly plan: () => NodePlan | undefined;
}

/**
 * The controller names addresses of Node objects only; an agent looks for itself, so that nobody who writes a NodeState
 * can have it connect to anything else. Ports that the node's own outbound rules refuse would look silent, so they are
 * not tried.
 */
export function peerGuard({ kernel, groups, plan }: PeerGuardOptions): PathGuard {
  return async ({ from, to }, ports) => {
    if (!isNodeAddress(groups(), to)) return { ports: [], problem: `${to} is not published as the address of a node` };
    const held = plan();
    if (held === undefined || held.outbound.length === 0) return { ports };
    const { interfaceOf } = await kernel.network();
    const { refusal } = judge(held);
    const family = to.includes(":") ? 6 : 4;
    const opening = { direction: "Outbound", family, protocol: "TCP", peer: to, local: from } as const;
    const allowed = ports.filter((port) => refusal({ ...opening, port }, interfaceOf(to)) === undefined);
    if (allowed.length === ports.length) return { ports };
    return { ports: allowed, problem: "its own outbound rules refuse some of the ports" };
  };
}

function isNodeAddress(groups: readonly GroupAddresses[], address: string): boolean {
  const one = parseAddress(address);
  return groups.some(
    ({ labels, addresses }) =>
      Object.hasOwn(labels, CLUSTER_ADDRESSES_LABEL) &&
      labels[CLUSTER_ADDRESSES_LABEL] === "nodes" &&
      addresses.some((entry) => containsPrefix(parsePrefix(entry), one)),
  );
}
