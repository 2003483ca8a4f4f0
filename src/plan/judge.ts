/**
 * What the rules of a node make of a connection that is opened. The same reading of the semantics as `render` writes
 * into rules, without walking them: a node may have 200,000 connections to judge. A test holds the two together.
 */
import type { Opening } from "./connections.ts";
import { coversInterface } from "./interfaces.ts";
import type { Family, NodeDirection, NodeEntry, NodeFailsafe, NodePlan, ResolvedPeers } from "./node-plan.ts";
import type { Prefix } from "./prefix.ts";
import { parseAddress, prefixLookup } from "./prefix-lookup.ts";
import type { InterfaceMatch, PortRange, Protocol } from "./types.ts";

/** By which rule a connection is refused: a deny, or `default` for the default action. */
export interface Refusal {
  readonly policy: string;
  readonly entry: string;
  /** A policy that refuses it too and cuts what was open before; the first by precedence. */
  readonly cutBy: string | undefined;
}

export interface Judge {
  /** undefined: it passes. Limits are not looked at. */
  refusal(opening: Opening, device: string): Refusal | undefined;
  /** It passes ahead of denies, allows and limits: by a failsafe, or as the trusted cluster. */
  passesFirst(opening: Opening, device: string): boolean;
  /** Whether an address is among these. */
  holds(peers: ResolvedPeers, family: Family, address: string): boolean;
}

/** Prepares the sets of `plan` once, each when it is first needed. */
export function judge(plan: NodePlan): Judge {
  const lookups = new Map<string, (address: Prefix) => boolean>();
  const entries = new Map(plan.sets.map((set) => [set.name, set.entries]));

  function inSet(name: string, address: Prefix): boolean {
    const found = lookups.get(name) ?? prefixLookup(entries.get(name) ?? []);
    lookups.set(name, found);
    return found(address);
  }

  function among(peers: ResolvedPeers, address: Prefix): boolean {
    if (peers === "Everybody") return true;
    const set = peers.sets[address.family];
    return set !== undefined && inSet(set, address);
  }

  function failsafe(failsafes: readonly NodeFailsafe[], { protocol, port }: Opening, address: Prefix): boolean {
    return failsafes.some(
      (one) =>
        one.protocol === protocol &&
        hasPort(one.ports, port) &&
        among(one.peers === "Nodes" ? plan.trust.nodes : one.peers, address),
    );
  }

  function trusted({ direction }: Opening, device: string, address: Prefix): boolean {
    const { nodes, pods, services, podInterfaces, podsOnUplink } = plan.trust;
    if (among(nodes, address)) return true;
    if (direction === "Outbound") return among(pods, address) || among(services, address);
    const fromPods = podsOnUplink || podInterfaces.some((pattern) => coversInterface(pattern, device));
    return fromPods && among(pods, address);
  }

  return {
    holds: (peers, family, address) => {
      const one = parseAddress(address);
      return one.family === family && among(peers, one);
    },
    passesFirst(opening, device) {
      const address = parseAddress(opening.peer);
      const failsafes = opening.direction === "Inbound" ? plan.failsafes.inbound : plan.failsafes.outbound;
      // Limits spare the cluster also where a policy judges it.
      return failsafe(failsafes, opening, address) || trusted(opening, device, address);
    },
    refusal(opening, device) {
      const inbound = opening.direction === "Inbound";
      const directions = inbound ? plan.inbound : plan.outbound;
      const { protocol, port } = opening;
      const inScope = (one: { ports: readonly PortRange[]; protocols: readonly Protocol[] }) =>
        one.protocols.includes(protocol) && hasPort(one.ports, port);
      const scopes = directions.filter((scope) => inScope(scope) && onInterface(scope.interfaces, device));
      const [first] = scopes;
      if (first === undefined) return undefined;
      const address = parseAddress(opening.peer);
      if (failsafe(inbound ? plan.failsafes.inbound : plan.failsafes.outbound, opening, address)) return undefined;
      if (scopes.some(({ trustCluster }) => trustCluster) && trusted(opening, device, address)) return undefined;
      const meets = (list: readonly NodeEntry[]) => list.find((entry) => inScope(entry) && among(entry.peers, address));
      const refusedBy = ({ policy }: NodeDirection, entry: string): Refusal => {
        const cutter = scopes.find((scope) => scope.existing === "Cut" && refuses(scope, meets));
        return { policy, entry, cutBy: cutter?.policy };
      };
      for (const scope of scopes) {
        const denied = meets(scope.deny);
        if (denied !== undefined) return refusedBy(scope, denied.name);
      }
      if (first.defaultAction === "Allow" || scopes.some(({ allow }) => meets(allow) !== undefined)) return undefined;
      return refusedBy(first, "default");
    },
  };
}

/** Whether the policy would refuse it if it stood alone. */
function refuses(scope: NodeDirection, meets: (list: readonly NodeEntry[]) => NodeEntry | undefined): boolean {
  if (meets(scope.deny) !== undefined) return true;
  return scope.defaultAction !== "Allow" && meets(scope.allow) === undefined;
}

export function hasPort(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => from <= port && port <= to);
}

export function onInterface({ include, exclude }: InterfaceMatch, device: string): boolean {
  const covers = (pattern: string): boolean => coversInterface(pattern, device);
  return (include.length === 0 || include.some(covers)) && !exclude.some(covers);
}
