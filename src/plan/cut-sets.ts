/**
 * The sets of what is cut: who opened what, in the form of hash:ip,port,ip (ipset(8)). An element says no more than what
 * the rules judge by, so one stands for all connections of a peer to one port, and it is wrong only where the rules are.
 */
import type { Opening } from "./connections.ts";
import type { AddressSet, Family, NodePlan } from "./node-plan.ts";
import type { Protocol } from "./types.ts";

/** Elements by the name of their set. */
export type Cuts = ReadonlyMap<string, ReadonlySet<string>>;

/** Of one set; beyond it nothing more is cut, and status counts it as living on. */
export const CUTS_MAX = 65_536;

const DIRECTIONS = ["Inbound", "Outbound"] as const;
const FAMILIES = [4, 6] as const;

export function cutSetName(direction: Opening["direction"], family: Family): string {
  return `ph-cut-${direction === "Inbound" ? "in" : "out"}-${family}`;
}

/** Whether what was open before is cut in this direction. */
export function cuts(plan: Pick<NodePlan, "inbound" | "outbound">, direction: Opening["direction"]): boolean {
  return plan[direction === "Inbound" ? "inbound" : "outbound"].some(({ existing }) => existing === "Cut");
}

/** The sets that the rules of `plan` name, still empty: what is in them is not a matter of the plan. */
export function cutSets(plan: Pick<NodePlan, "inbound" | "outbound">): AddressSet[] {
  return DIRECTIONS.filter((direction) => cuts(plan, direction)).flatMap((direction) =>
    FAMILIES.map((family): AddressSet => {
      return { name: cutSetName(direction, family), family, type: "hash:ip,port,ip", entries: [] };
    }),
  );
}

export function formatCut({ peer, protocol, port, local }: Opening): string {
  return `${peer},${protocol.toLowerCase()}:${port},${local}`;
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { tcp: "TCP", udp: "UDP", sctp: "SCTP" };

/** undefined for what `formatCut` did not write. */
export function parseCut(set: string, element: string): Opening | undefined {
  const [, way, family] = /^ph-cut-(in|out)-([46])$/.exec(set) ?? [];
  const [, peer = "", protocol = "", port, local = ""] = /^([^,]+),(tcp|udp|sctp):(\d+),([^,]+)$/.exec(element) ?? [];
  const known = PROTOCOLS[protocol];
  if (way === undefined || known === undefined) return undefined;
  return {
    direction: way === "in" ? "Inbound" : "Outbound",
    family: family === "4" ? 4 : 6,
    protocol: known,
    peer,
    port: Number(port),
    local,
  };
}
