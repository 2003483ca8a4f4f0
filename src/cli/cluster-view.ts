import { type NodeStateStatus, nodeStateStatusSchema } from "../api/node-state.ts";
import { parseAddressGroup, parsePolicy } from "../api/parse.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { type NodeFacts, parseNodeFacts } from "../controller/node-facts.ts";
import { fieldAt, recordsAt } from "../controller/wire-fields.ts";
import { ForbiddenError, NotServedError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../kube/types.ts";
import { parseAssigned } from "../plan/parse-plan.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import type { GapReason, Place } from "../preview/types.ts";
import { podPlaces, servicePlaces } from "./declared-places.ts";
import { allObjects, eachObject } from "./each-object.ts";
import { groupAddresses } from "./node-rules.ts";

/** A NodeState, as far as a preview goes by it. */
export interface StateView {
  readonly assigned: readonly AssignedPolicy[];
  /** Of another version: nothing is said of them. */
  readonly unreadable: number;
  readonly status: NodeStateStatus | undefined;
}

/** What a live cluster says of its nodes and of who uses them. */
export interface ClusterView {
  readonly nodes: readonly NodeFacts[];
  readonly states: ReadonlyMap<string, StateView>;
  readonly policies: readonly PortHardeningPolicy[];
  readonly groups: readonly GroupAddresses[];
  readonly services: readonly Place[];
  readonly podPlaces: ReadonlyMap<string, readonly Place[]>;
  /** `namespace/name` by uid, of pods in the nodes' own network. */
  readonly podNames: ReadonlyMap<string, string>;
  /** What could not be read at all. */
  readonly gaps: readonly GapReason[];
  readonly notes: readonly string[];
}

/**
 * Reads only, with the rights that the user has: Services and pods may be withheld, which is told as a gap. Throws
 * KubeError where nodes, policies, groups or node states are.
 */
export async function clusterView(client: KubeClient): Promise<ClusterView> {
  const notes: string[] = [];
  const gaps: GapReason[] = [];
  const all = (resource: Resource) => allObjects(client, resource);
  const ours = (resource: Resource) =>
    all(resource).catch((error: unknown) => {
      if (!(error instanceof NotServedError)) throw error;
      notes.push(`the cluster serves no ${resource.plural}: the operator is not installed there`);
      return [];
    });
  const [nodes, states, policies, groups, services, pods] = await Promise.all([
    all(resources.nodes),
    ours(resources.nodeStates),
    ours(resources.policies),
    ours(resources.addressGroups),
    unlessForbidden(() => all(resources.services).then((list) => list.flatMap(servicePlaces))),
    unlessForbidden(() => readPods(client)),
  ]);
  if (services === undefined) gaps.push("ServicesNotRead");
  if (pods === undefined) gaps.push("PodsNotRead");
  return {
    nodes: nodes.map(parseNodeFacts),
    states: new Map(states.map((state) => [state.metadata.name, stateView(state)])),
    policies: policies.flatMap((policy) => readable(policy, parsePolicy, notes)),
    groups: groups.flatMap((group) => readable(group, parseAddressGroup, notes)).map(groupAddresses),
    services: services ?? [],
    podPlaces: pods?.places ?? new Map(),
    podNames: pods?.names ?? new Map(),
    gaps,
    notes,
  };
}

async function unlessForbidden<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // Not everybody who writes policies may see these; what is missing is told.
    if (error instanceof ForbiddenError) return undefined;
    throw error;
  }
}

async function readPods(client: KubeClient) {
  const places = new Map<string, Place[]>();
  const names = new Map<string, string>();
  for await (const pod of eachObject(client, resources.pods)) {
    const declared = podPlaces(pod);
    if (declared?.node === undefined) continue;
    const onNode = places.get(declared.node) ?? [];
    onNode.push(...declared.places);
    places.set(declared.node, onNode);
    if (fieldAt(fieldAt(pod, "spec"), "hostNetwork") === true) {
      names.set(pod.metadata.uid ?? "", `${pod.metadata.namespace ?? "default"}/${pod.metadata.name}`);
    }
  }
  return { places, names };
}

function stateView(object: KubeObject): StateView {
  const elements = recordsAt(fieldAt(object, "spec"), "policies");
  const assigned = elements.flatMap((element) => {
    try {
      return [parseAssigned(element)];
    } catch {
      // The node's agent says the same in its status, and why.
      return [];
    }
  });
  const status = nodeStateStatusSchema.safeParse(fieldAt(object, "status")).data;
  return {
    assigned,
    unreadable: elements.length - assigned.length,
    // What the API server fills in is no word of an agent.
    status: status?.agentVersion === undefined ? undefined : status,
  };
}

function readable<T>(object: KubeObject, parse: (object: KubeObject) => T, notes: string[]): T[] {
  try {
    return [parse(object)];
  } catch (error) {
    notes.push(`left out, as this version cannot read it: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
