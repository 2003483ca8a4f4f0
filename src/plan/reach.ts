/**
 * Who outside of a node gets through to one of its listeners, by the policies that it enforces: the reading of `judge`, for
 * all sources at once. A doubt counts as more reach: nobody shall believe in a closed port that is open.
 */
import { admitted, anybody } from "./admitted.ts";
import { coversInterface } from "./interfaces.ts";
import { hasPort, onInterface } from "./judge.ts";
import type { Family, NodeDirection, NodeEntry, NodePlan, ResolvedPeers } from "./node-plan.ts";
import type { PortRange, Protocol } from "./types.ts";

/** Unknown: on some interface, that none leaves out by name, no policy judges the port. */
export type Reach = "Everybody" | "Some" | "Nobody" | "Unknown";

interface Place {
  readonly protocol: Protocol;
  /** `0.0.0.0` is every IPv4 address, `::` every address. */
  readonly address: string;
  readonly port: number;
}

/** Sources of one family that pass on one interface. */
type Passing = "All" | "Some" | "None" | "Unjudged";

/**
 * `devices` are the interfaces of the node. Everybody: on some interface nobody of a family is refused. Nobody: on each
 * everybody is. On interfaces of pods, and those that a policy excludes, there are some. A limit refuses nobody for good.
 */
export function reachJudge(plan: NodePlan, devices: readonly string[]): (to: Place) => Reach {
  const outside = differentDevices(plan, devices);
  const passing = judgeSources(plan);
  return (to) => {
    const seen = outside.flatMap((device) => familiesOf(to.address).map((family) => passing(to, device, family)));
    if (seen.includes("All")) return "Everybody";
    if (seen.length === 0 || seen.includes("Unjudged")) return "Unknown";
    return seen.includes("Some") ? "Some" : "Nobody";
  };
}

function judgeSources(plan: NodePlan): (to: Place, device: string, family: Family) => Passing {
  const admits = admitted(plan.sets);
  return (to, device, family) => {
    const inScope = (one: { readonly ports: readonly PortRange[]; readonly protocols: readonly Protocol[] }) =>
      one.protocols.includes(to.protocol) && hasPort(one.ports, to.port);
    const judging = plan.inbound.filter(inScope);
    const scopes = judging.filter(({ interfaces }) => onInterface(interfaces, device));
    const ofPods = isOfPods(plan, device);
    const [first] = scopes;
    if (first === undefined) return leftOut(judging, device) || (ofPods && judging.length > 0) ? "Some" : "Unjudged";
    const peersOf = (entries: (scope: NodeDirection) => readonly NodeEntry[]) =>
      scopes.flatMap((scope) => entries(scope).filter(inScope)).map(({ peers }) => peers);
    const failsafes = plan.failsafes.inbound.filter(
      (one) => one.protocol === to.protocol && hasPort(one.ports, to.port),
    );
    const spared = failsafes.map(({ peers }) => (peers === "Nodes" ? plan.trust.nodes : peers));
    const trusted = [...spared, ...trustedPeers(plan, scopes, ofPods)];
    const allowed = first.defaultAction === "Allow" ? (["Everybody"] as const) : peersOf(({ allow }) => allow);
    const denied = peersOf(({ deny }) => deny);
    const open = failsafes.some(({ peers }) => peers === "Everybody");
    const passing = open ? "All" : admits(allowed, denied, family);
    if (passing === "All" && !ofPods) return "All";
    return passing !== "None" || trusted.some((peers) => anybody(plan.sets, peers, family)) ? "Some" : "None";
  };
}

/** Whom no deny stops. */
function trustedPeers({ trust }: NodePlan, scopes: readonly NodeDirection[], ofPods: boolean): ResolvedPeers[] {
  const cluster = scopes.some(({ trustCluster }) => trustCluster);
  const pods = cluster && (trust.podsOnUplink || ofPods);
  return [...(cluster ? [trust.nodes] : []), ...(pods ? [trust.pods] : [])];
}

/** Whether a policy that judges the port says of the interface that it does not there. */
function leftOut(judging: readonly NodeDirection[], device: string): boolean {
  return judging.some(({ interfaces }) => interfaces.exclude.some((pattern) => coversInterface(pattern, device)));
}

function isOfPods({ trust }: NodePlan, device: string): boolean {
  return trust.podInterfaces.some((pattern) => coversInterface(pattern, device));
}

/** One of those that no policy tells apart: a node has hundreds of interfaces of pods. */
function differentDevices(plan: NodePlan, devices: readonly string[]): string[] {
  const patterns = plan.inbound.flatMap(({ interfaces: { include, exclude } }) => [...include, ...exclude]);
  const told = [...new Set([...patterns, ...plan.trust.podInterfaces])];
  const outside = devices.filter((device) => device !== "lo");
  const kind = (device: string) => told.map((pattern) => (coversInterface(pattern, device) ? 1 : 0)).join("");
  return [...new Map(outside.map((device) => [kind(device), device])).values()];
}

function familiesOf(address: string): readonly Family[] {
  if (address === "::") return [4, 6];
  return address.includes(":") ? [6] : [4];
}
