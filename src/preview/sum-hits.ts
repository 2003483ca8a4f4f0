/** What would happen on each node, added up over the nodes on which it is the same. */
import { compareText } from "../plan/text-order.ts";
import type { FlowHit, GapOnNodes, LimitHit, PlaceHit, Sessions } from "./types.ts";

/** On one node. */
export type OnNode<T extends { readonly nodes: readonly string[] }> = Omit<T, "nodes"> & { readonly node: string };

export function sumFlows(hits: readonly OnNode<FlowHit>[]): FlowHit[] {
  const summed = sumAlike(
    hits,
    ({ effect, certainty, direction, protocol, port, peer, policy, entry }) =>
      [effect, certainty, direction, protocol, port, peer, policy, entry].join(" "),
    (all, { node: _, ...hit }, nodes): FlowHit => ({
      ...hit,
      names: distinct(all.flatMap(({ names }) => names)),
      connections: total(all, ({ connections }) => connections),
      atLeast: all.some(({ atLeast }) => atLeast),
      nodes,
    }),
  );
  return summed.toSorted((a, b) => b.connections - a.connections);
}

export function sumLimits(hits: readonly OnNode<LimitHit>[]): LimitHit[] {
  const summed = sumAlike(
    hits,
    ({ policy, limit, maxConcurrent, source, certainty }) =>
      [policy, limit, maxConcurrent, source, certainty].join(" "),
    (all, { node: _, ...hit }, nodes): LimitHit => ({
      ...hit,
      connections: total(all, ({ connections }) => connections),
      over: total(all, ({ over }) => over),
      atLeast: all.some(({ atLeast }) => atLeast),
      nodes,
    }),
  );
  return summed.toSorted((a, b) => b.over - a.over);
}

export function sumPlaces(hits: readonly OnNode<PlaceHit>[]): PlaceHit[] {
  const severity = ["Closed", "Narrowed", "Changed", "Opened"];
  const summed = sumAlike(
    hits,
    ({ change, before, after, kind, protocol, address = "", port, names, sources = [], interfaces = [], family = 0 }) =>
      [
        change,
        before,
        after,
        kind,
        protocol,
        address,
        port,
        family,
        ...names,
        "from",
        ...sources,
        "on",
        ...interfaces,
      ].join(" "),
    (_, { node: __, ...hit }, nodes): PlaceHit => ({ ...hit, nodes }),
  );
  return summed.toSorted((a, b) => severity.indexOf(a.change) - severity.indexOf(b.change) || a.port - b.port);
}

export function sumSessions(hits: readonly OnNode<Sessions>[]): Sessions[] {
  const summed = sumAlike(
    hits,
    ({ peer, port, fate, by }) => [peer, port, fate, by].join(" "),
    (all, { node: _, ...hit }, nodes): Sessions => ({
      ...hit,
      sessions: total(all, ({ sessions }) => sessions),
      nodes,
    }),
  );
  return summed.toSorted((a, b) => Number(a.fate === "Kept") - Number(b.fate === "Kept") || b.sessions - a.sessions);
}

export function sumGaps(gaps: readonly OnNode<GapOnNodes>[]): GapOnNodes[] {
  return sumAlike(
    gaps,
    ({ reason }) => reason,
    (all, { reason }, nodes): GapOnNodes => {
      const counted = all.some(({ count }) => count !== undefined);
      return { reason, ...(counted && { count: total(all, ({ count = 0 }) => count) }), nodes };
    },
  );
}

/** In the order in which the first of each kind came. */
function sumAlike<T extends { readonly node: string }, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  sum: (all: readonly T[], first: T, nodes: readonly string[]) => R,
): R[] {
  const alike = [...Map.groupBy(items, keyOf)].toSorted(([a], [b]) => compareText(a, b));
  return alike.flatMap(([, all]) => {
    const [first] = all;
    return first === undefined ? [] : [sum(all, first, distinct(all.map(({ node }) => node)))];
  });
}

function total<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}

function distinct(items: readonly string[]): string[] {
  return [...new Set(items)].toSorted(compareText);
}
