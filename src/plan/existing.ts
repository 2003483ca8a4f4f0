/** Which connections that are open would be refused if they were opened anew: for status, for Cut and for previews. */
import { type NodeNetwork, type Opening, openingsOf, type TrackedConnection } from "./connections.ts";
import { CUTS_MAX, type Cuts, cutSetName, formatCut, parseCut } from "./cut-sets.ts";
import { type Judge, judge } from "./judge.ts";
import type { Family, NodePlan } from "./node-plan.ts";
import { parseAddress, prefixLookup } from "./prefix-lookup.ts";
import { compareText } from "./text-order.ts";

/** Connections of one other end to one port that a policy refuses. */
export interface RefusedPeer {
  readonly direction: Opening["direction"];
  readonly peer: string;
  readonly protocol: Opening["protocol"];
  readonly port: number;
  readonly connections: number;
}

/** Of one policy: the one whose rule refuses them, or one that refuses them too and cuts; or one that observes, and would. */
export interface ExistingConnections {
  /** That live on. */
  readonly kept: number;
  /** That are cut: conntrack forgets them when both ends have given up. */
  readonly cut: number;
  /** The most numerous of both. */
  readonly top: readonly RefusedPeer[];
}

export interface ExistingFound {
  readonly byPolicy: ReadonlyMap<string, ExistingConnections>;
  /** `before`, and what shall be cut with it. */
  readonly cuts: Cuts;
  /** How many elements came to it. */
  readonly added: number;
}

export interface ExistingSearch {
  see(connection: TrackedConnection): void;
  found(): ExistingFound;
}

/** Other ends that are told apart at a time, so that memory is bounded; the counts go on. */
const PEERS_MAX = 10_000;
const TOP_PEERS = 5;

interface Count {
  kept: number;
  cut: number;
  readonly peers: Map<string, { readonly opening: Opening; connections: number }>;
}

/** Takes one connection after the other and keeps only what is refused. `before` are the cuts that are in force. */
export function searchExisting(plan: NodePlan, network: NodeNetwork, before: Cuts): ExistingSearch {
  const { refusal, holds } = judge(plan);
  const tried = ifEnforced(plan);
  const inOrigins = prefixLookup(plan.vipCidrs);
  const services = {
    isVip: (family: Family, address: string) => holds(plan.vips, family, address),
    isVipOrigin: (address: string) => inOrigins(parseAddress(address)),
  };
  const counts = new Map<string, Count>();
  const cuts = new Map([...before].map(([name, elements]) => [name, new Set(elements)]));
  let added = 0;

  /** Whether it is in the sets now. */
  function cutOff(opening: Opening): boolean {
    const name = cutSetName(opening.direction, opening.family);
    const elements = cuts.get(name) ?? new Set();
    const element = formatCut(opening);
    if (elements.has(element)) return true;
    if (elements.size >= CUTS_MAX) return false;
    cuts.set(name, elements.add(element));
    added += 1;
    return true;
  }

  function count(policy: string, opening: Opening, cut: boolean): void {
    const known = counts.get(policy) ?? { kept: 0, cut: 0, peers: new Map() };
    counts.set(policy, known);
    if (cut) known.cut += 1;
    else known.kept += 1;
    const key = `${opening.direction} ${formatCut({ ...opening, local: "" })}`;
    const peer = known.peers.get(key);
    if (peer !== undefined) peer.connections += 1;
    else if (known.peers.size < PEERS_MAX) known.peers.set(key, { opening, connections: 1 });
  }

  return {
    see(connection) {
      const openings = openingsOf(connection, network, services);
      for (const opening of openings) {
        const refused = refusal(opening, network.interfaceOf(opening.peer));
        if (refused === undefined) continue;
        count(refused.cutBy ?? refused.policy, opening, refused.cutBy !== undefined && cutOff(opening));
        return;
      }
      if (tried === undefined) return;
      for (const opening of openings) {
        const refused = tried.refusal(opening, network.interfaceOf(opening.peer));
        if (refused === undefined) continue;
        // By a rule of one that observes: it passes those that are enforced.
        count(refused.policy, opening, false);
        return;
      }
    },
    found() {
      const byPolicy = new Map(
        [...counts].map(([policy, { kept, cut, peers }]) => [policy, { kept, cut, top: top(peers) }]),
      );
      return { byPolicy, cuts, added };
    },
  };
}

/** Those of `cuts` that a policy of `plan` still refuses and cuts. */
export function keepCuts(plan: NodePlan, network: NodeNetwork, cuts: Cuts): Cuts {
  const { refusal } = judge(plan);
  const still = (name: string) => (element: string) => {
    const opening = parseCut(name, element);
    return opening !== undefined && refusal(opening, network.interfaceOf(opening.peer))?.cutBy !== undefined;
  };
  return new Map([...cuts].map(([name, elements]) => [name, new Set([...elements].filter(still(name)))]));
}

/** What would be refused if those that observe were enforced; undefined where none of them judges. */
function ifEnforced(plan: NodePlan): Judge | undefined {
  const { inbound = [], outbound = [] } = plan.observed ?? {};
  if (inbound.length + outbound.length === 0) return undefined;
  const all = {
    inbound: inbound.length > 0 ? inbound : plan.inbound,
    outbound: outbound.length > 0 ? outbound : plan.outbound,
  };
  return judge({ ...plan, ...all });
}

function top(peers: Count["peers"]): RefusedPeer[] {
  return [...peers]
    .toSorted(([a, { connections: m }], [b, { connections: n }]) => n - m || compareText(a, b))
    .slice(0, TOP_PEERS)
    .map(
      ([
        ,
        {
          opening: { direction, peer, protocol, port },
          connections,
        },
      ]) => {
        return { direction, peer, protocol, port, connections };
      },
    );
}
