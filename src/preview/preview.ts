/** What proposed policies would change, and whom they would hit: judged by what judges connections on the nodes. */

import { sshPorts } from "./judge-session.ts";
import { type PlanPair, type PreviewWorld, planPairs } from "./plan-pair.ts";
import { type OnNode, sumFlows, sumGaps, sumPlaces, sumSessions } from "./sum-hits.ts";
import type {
  FlowHit,
  GapOnNodes,
  NodesChange,
  NodeUse,
  Place,
  PlaceHit,
  Preview,
  PreviewedNode,
  Sessions,
} from "./types.ts";

/** Pure. Throws RangeError where an address of a group is no CIDR. */
export function preview(nodes: readonly PreviewedNode[], world: PreviewWorld): Preview {
  const pairOf = planPairs(world);
  const flows: OnNode<FlowHit>[] = [];
  const places: OnNode<PlaceHit>[] = [];
  const sessions: OnNode<Sessions>[] = [];
  const gaps: OnNode<GapOnNodes>[] = [];
  const changed = new Map<PlanPair, string[]>();
  for (const { name: node, before, after, use } of nodes) {
    const pair = pairOf(before, after);
    gaps.push(
      ...use.gaps.filter(({ reason }) => pair.changes || reason === "PlanUnreadable").map((gap) => ({ ...gap, node })),
    );
    if (!pair.changes) continue;
    const names = changed.get(pair) ?? [];
    names.push(node);
    changed.set(pair, names);
    const hits = hitsOn(pair, use);
    flows.push(...hits.flows.map((hit) => ({ ...hit, node })));
    places.push(...hits.places.map((hit) => ({ ...hit, node })));
    sessions.push(...hits.sessions.map((hit) => ({ ...hit, node })));
  }
  const summed = { flows: sumFlows(flows), places: sumPlaces(places) };
  const changes = [...changed].map(([pair, names]): NodesChange => {
    const { policies, rules, warnings } = pair;
    return { nodes: names, policies, rules, warnings };
  });
  return {
    outcome: outcomeOf(changes, summed),
    nodes: nodes.length,
    changes: changes.toSorted((a, b) => b.nodes.length - a.nodes.length),
    ...summed,
    sessions: sumSessions(sessions),
    gaps: sumGaps(gaps),
  };
}

interface Hits {
  readonly flows: readonly Omit<FlowHit, "nodes">[];
  readonly places: readonly Omit<PlaceHit, "nodes">[];
  readonly sessions: readonly Omit<Sessions, "nodes">[];
}

function hitsOn(pair: PlanPair, { places, flows, flowsComplete, devices }: NodeUse): Hits {
  const ports = sshPorts(places);
  const fates = flows.map((flow) => ({ flow, fate: pair.flow(flow) }));
  const judgePlace = pair.place(devices);
  return {
    flows: fates.flatMap(({ flow, fate }) => {
      if (fate === undefined) return [];
      const { effect, certainty, refusal, opening } = fate;
      const { direction, protocol, port, peer } = opening;
      const by = { policy: refusal.policy, entry: refusal.entry };
      const names = direction === "Inbound" ? namesAt(places, opening) : [];
      const { connections } = flow;
      return [
        { effect, certainty, direction, protocol, port, peer, ...by, names, connections, atLeast: !flowsComplete },
      ];
    }),
    places: distinctPlaces(places).flatMap(({ names, place: { kind, protocol, port, address } }) =>
      judgePlace({ protocol, port, address }).map((fate) => {
        const own = kind === "LoadBalancer" || kind === "ExternalIP";
        return { ...fate, kind, protocol, port, names, ...(own && { address }) };
      }),
    ),
    sessions: fates.flatMap(({ flow, fate }) => pair.session(flow, fate, ports) ?? []),
  };
}

function namesAt(places: readonly Place[], at: { readonly protocol: string; readonly port: number }): string[] {
  const there = places.filter(({ protocol, port }) => protocol === at.protocol && port === at.port);
  return [...new Set(there.flatMap(({ name }) => name ?? []))];
}

/** A server that listens on several addresses, or with several sockets, is one. */
function distinctPlaces(places: readonly Place[]): { readonly place: Place; readonly names: readonly string[] }[] {
  const alike = Map.groupBy(places, ({ kind, protocol, port, address, name = "" }) => {
    const family = address === "::" || !address.includes(":") ? "any" : "6";
    const own = kind === "LoadBalancer" || kind === "ExternalIP" ? address : family;
    return [kind, protocol, port, own, name].join(" ");
  });
  return [...alike.values()].flatMap((all) => {
    const widest = all.find(({ address }) => address === "::") ?? all[0];
    return widest === undefined ? [] : [{ place: widest, names: widest.name === undefined ? [] : [widest.name] }];
  });
}

/** A listener to which nobody is connected is not in use; a Service or a host port is there to be used. */
function outcomeOf(
  changes: readonly NodesChange[],
  { flows, places }: Pick<Preview, "flows" | "places">,
): Preview["outcome"] {
  const declared = places.filter(({ kind }) => kind !== "Listener");
  // Health checks come from addresses that only the load balancer's maker knows.
  const cut = declared.some(
    ({ change, kind }) => change === "Closed" || (kind === "HealthCheck" && change !== "Opened"),
  );
  if (flows.length > 0 || cut) return "Cuts";
  return changes.length > 0 ? "Changes" : "NoChange";
}
