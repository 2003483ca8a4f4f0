import { NOTHING_COMES } from "../../../src/controller/coming-facts.ts";
import { compilePolicy } from "../../../src/controller/compiled-policy.ts";
import type { NodeFacts } from "../../../src/controller/node-facts.ts";
import type { NodeStateFacts } from "../../../src/controller/node-state-facts.ts";
import type { PolicyFacts } from "../../../src/controller/policy-facts.ts";
import { NO_PROBING } from "../../../src/controller/probing-facts.ts";
import type { ControllerStores } from "../../../src/controller/stores.ts";
import type { KubeObject, Store } from "../../../src/kube/types.ts";

export function nodeFacts(name: string, facts: Partial<NodeFacts> = {}): NodeFacts {
  return { name, uid: `uid-${name}`, labels: {}, ready: true, addresses: [], podCidrs: [], ...facts };
}

export function stateFacts(name: string, facts: Partial<NodeStateFacts> = {}): NodeStateFacts {
  return {
    name,
    uid: `state-${name}`,
    generation: 1,
    ownerUid: `uid-${name}`,
    createdAt: 0,
    assigned: [],
    agent: undefined,
    keep: [],
    unawaited: [],
    nodeSelections: [],
    reported: [],
    observed: [],
    wouldSet: [],
    range: undefined,
    auditRequest: undefined,
    audit: undefined,
    driftAt: undefined,
    probing: NO_PROBING,
    coming: NOTHING_COMES,
    ...facts,
  };
}

export function policyObject(name: string, spec: object = {}): KubeObject {
  const object = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name, uid: `uid-${name}`, generation: 1 },
    spec: { mode: "Enforce", ...spec },
  };
  return object;
}

export function policyFacts(name: string, spec: object = {}): PolicyFacts {
  const compiled = compilePolicy(policyObject(name, spec), { allowedSysctls: ["net.ipv4.tcp_syncookies"] });
  return { name, uid: `uid-${name}`, generation: 1, status: undefined, compiled };
}

/** The element that a node shall have; throws where the policy does not compile. */
export function elementOf({ compiled }: PolicyFacts) {
  if (compiled.outcome !== "Compiled") throw new Error(`${compiled.name}: ${compiled.problem}`);
  return compiled.element;
}

export function store<T extends { readonly name: string }>(items: readonly T[], synced = true): Store<T> {
  return { synced, list: () => items, get: ({ name }) => items.find((item) => item.name === name) };
}

const nothing = { synced: true, list: () => [], get: () => undefined };

export function stores(parts: Partial<ControllerStores>): ControllerStores {
  return {
    policies: nothing,
    nodes: nothing,
    nodeStates: nothing,
    leases: nothing,
    services: nothing,
    apiEndpoints: nothing,
    serviceCidrs: nothing,
    shards: nothing,
    selectedShards: nothing,
    ...parts,
  };
}
