/** What becomes of who uses one node, where its policies change. */
import type { NodePlan } from "../plan/node-plan.ts";
import { flowJudge } from "./judge-flow.ts";
import { limitJudge, unjudgedRates } from "./judge-limits.ts";
import { placeJudge } from "./judge-place.ts";
import { sessionJudge, sshPorts } from "./judge-session.ts";
import type { FlowHit, Gap, LimitHit, NodeUse, Place, PlaceHit, Sessions } from "./types.ts";

export interface Hits {
  readonly flows: readonly Omit<FlowHit, "nodes">[];
  readonly limits: readonly Omit<LimitHit, "nodes">[];
  readonly places: readonly Omit<PlaceHit, "nodes">[];
  readonly sessions: readonly Omit<Sessions, "nodes">[];
  /** What the plans ask that nobody can judge from `use`. */
  readonly gaps: readonly Gap[];
}

/** Prepared once for all nodes with these two plans. */
export function useJudge(before: NodePlan, after: NodePlan): (use: NodeUse) => Hits {
  const judgeFlow = flowJudge(before, after);
  const judgeLimits = limitJudge(before, after);
  const gaps = unjudgedRates(before, after);
  const judgeSession = sessionJudge(after);
  const placeJudges = new Map<string, ReturnType<typeof placeJudge>>();

  function judgesPlaces(devices: readonly string[] | undefined): ReturnType<typeof placeJudge> {
    const key = devices?.join() ?? "";
    const found = placeJudges.get(key) ?? placeJudge(before, after, devices);
    placeJudges.set(key, found);
    return found;
  }

  return ({ places, flows, flowsComplete, devices }) => {
    const ports = sshPorts(places);
    const fates = flows.map((flow) => ({ flow, fate: judgeFlow(flow) }));
    const judgePlace = judgesPlaces(devices);
    return {
      flows: fates.flatMap(({ flow: { connections }, fate }) => {
        if (fate === undefined) return [];
        const { effect, certainty, refusal, opening } = fate;
        const { direction, protocol, port, peer } = opening;
        const by = { policy: refusal.policy, entry: refusal.entry };
        const names = direction === "Inbound" ? namesAt(places, opening) : [];
        return [
          { effect, certainty, direction, protocol, port, peer, ...by, names, connections, atLeast: !flowsComplete },
        ];
      }),
      places: distinctPlaces(places).flatMap(({ names, place: { kind, protocol, port, address, sources } }) =>
        judgePlace({ protocol, port, address, ...(sources && { sources }) }).map((fate) => {
          const own = kind === "LoadBalancer" || kind === "ExternalIP";
          return { ...fate, kind, protocol, port, names, ...(own && { address }), ...(sources && { sources }) };
        }),
      ),
      limits: judgeLimits(flows).map((hit) => ({ ...hit, atLeast: !flowsComplete })),
      gaps,
      sessions: fates.flatMap(({ flow, fate }) => judgeSession(flow, fate, ports) ?? []),
    };
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
