/** What proposed policies would change, and whom they would hit: judged by what judges connections on the nodes. */
import { type PlanPair, type PreviewWorld, planPairs } from "./plan-pair.ts";
import { type OnNode, sumFlows, sumGaps, sumLimits, sumPlaces, sumSessions } from "./sum-hits.ts";
import type {
  FlowHit,
  GapOnNodes,
  LimitHit,
  NodesChange,
  PlaceHit,
  Preview,
  PreviewedNode,
  Sessions,
} from "./types.ts";

/** Pure. Throws RangeError where an address of a group is no CIDR. */
export function preview(nodes: readonly PreviewedNode[], world: PreviewWorld): Preview {
  const pairOf = planPairs(world);
  const flows: OnNode<FlowHit>[] = [];
  const limits: OnNode<LimitHit>[] = [];
  const places: OnNode<PlaceHit>[] = [];
  const sessions: OnNode<Sessions>[] = [];
  const gaps: OnNode<GapOnNodes>[] = [];
  const changed = new Map<PlanPair, string[]>();
  for (const { name: node, before, after, failsafes, use } of nodes) {
    const pair = pairOf(before, after, failsafes);
    gaps.push(
      ...use.gaps.filter(({ reason }) => pair.changes || reason === "PlanUnreadable").map((gap) => ({ ...gap, node })),
    );
    if (!pair.changes) continue;
    const names = changed.get(pair) ?? [];
    names.push(node);
    changed.set(pair, names);
    const hits = pair.hits(use);
    gaps.push(...hits.gaps.map((gap) => ({ ...gap, node })));
    limits.push(...hits.limits.map((hit) => ({ ...hit, node })));
    flows.push(...hits.flows.map((hit) => ({ ...hit, node })));
    places.push(...hits.places.map((hit) => ({ ...hit, node })));
    sessions.push(...hits.sessions.map((hit) => ({ ...hit, node })));
  }
  const summed = { flows: sumFlows(flows), limits: sumLimits(limits), places: sumPlaces(places) };
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

/** A listener to which nobody is connected is not in use; a Service or a host port is there to be used. */
function outcomeOf(
  changes: readonly NodesChange[],
  { flows, limits, places }: Pick<Preview, "flows" | "limits" | "places">,
): Preview["outcome"] {
  const declared = places.filter(({ kind }) => kind !== "Listener");
  // Health checks come from addresses that only the load balancer's maker knows.
  const cut = declared.some(
    ({ change, kind }) => change === "Closed" || (kind === "HealthCheck" && change !== "Opened"),
  );
  if (flows.length + limits.length > 0 || cut) return "Cuts";
  return changes.length > 0 ? "Changes" : "NoChange";
}
