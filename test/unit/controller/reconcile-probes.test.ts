import { beforeEach, describe, expect, it } from "vitest";
import type { PortHardeningNodeState } from "../../../src/api/node-state.ts";
import { parseNodeFacts } from "../../../src/controller/node-facts.ts";
import { parseNodeStateFacts } from "../../../src/controller/node-state-facts.ts";
import { reconcileProbes, type WrittenProbes } from "../../../src/controller/reconcile-probes.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { store } from "./facts.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";

const STATES = "porthardeningnodestates";
const names = ["a", "b", "c"];
const now = Date.parse("2026-01-01T00:00:00Z");
const request = { id: "r1", at: "2026-01-01T00:00:00Z", ports: [8080] };
const policies = [{ name: "p", plan: { format: 9 } }];

let api: FakeApi;
let written: WrittenProbes;
/** What the controller's caches show: the API server as it was then. */
let cached: readonly KubeObject[];

beforeEach(() => {
  api = fakeApi();
  written = new Map();
  for (const name of names) {
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name, uid: `uid-${name}` }];
    const metadata = { name, uid: `state-${name}`, generation: 1, ownerReferences };
    api.put(STATES, { apiVersion: "v1", kind: "X", metadata, spec: { policies, auditRequest: "x" } } as KubeObject);
  }
  look();
});

function look(): void {
  cached = names.flatMap((name) => api.stored(STATES, name) ?? []);
}
const state = (name: string) => api.stored(STATES, name) as unknown as PortHardeningNodeState;
function says(name: string, status: object): void {
  api.put(STATES, { ...state(name), status } as unknown as KubeObject);
}
function nodeObject(name: string): KubeObject {
  const status = {
    addresses: [{ type: "InternalIP", address: `198.18.0.${name.charCodeAt(0)}` }],
    conditions: [{ type: "Ready", status: "True" }],
  };
  return { apiVersion: "v1", kind: "Node", metadata: { name, uid: `uid-${name}` }, status } as KubeObject;
}
/** A pass with the caches as they are; each write of a spec is a generation. */
async function pass(): Promise<number | undefined> {
  const client = {
    ...api,
    replace: async (...[resource, object, signal]: Parameters<typeof api.replace>) => {
      const { generation = 0 } = object.metadata;
      return api.replace(resource, { ...object, metadata: { ...object.metadata, generation: generation + 1 } }, signal);
    },
  };
  return reconcileProbes({
    client,
    stores: {
      nodes: store(names.map((name) => parseNodeFacts(nodeObject(name)))),
      nodeStates: store(cached.map(parseNodeStateFacts)),
    },
    written,
    isAlive: () => true,
    now: () => now,
    signal: new AbortController().signal,
  });
}
const peers = () => names.filter((name) => (state(name).spec.probes ?? []).length > 0);

describe("what nodes ask of each other", () => {
  it("costs nothing where nobody asks", async () => {
    expect(await pass()).toBeUndefined();
    expect(api.writes).toEqual([]);
  });

  it("goes to a peer and back, and leaves policies and all else in every spec as they are", async () => {
    says("a", { probeRequest: request });
    look();
    expect(await pass()).toBeGreaterThan(0);
    const [peer = "", ...more] = peers();
    expect(more).toEqual([]);
    expect(state(peer).spec).toMatchObject({ policies, auditRequest: "x", probes: [{ id: "r1", node: "a" }] });

    const paths = [{ from: "198.18.0.98", to: "198.18.0.97", open: [8080], refused: [], silent: [] }];
    says(peer, { probeResults: [{ id: "r1", paths }] });
    look();
    await pass();
    expect(state("a").spec).toEqual({ policies, auditRequest: "x", probeAnswers: [{ id: "r1", peer, paths }] });
    expect(state(peer).spec).toEqual({ policies, auditRequest: "x" });

    says("a", {});
    look();
    expect(await pass()).toBeUndefined();
    expect(state("a").spec).toEqual({ policies, auditRequest: "x" });
  });

  it("goes to one peer alone, though the cache does not show yet what was written", async () => {
    says("a", { probeRequest: request });
    look();
    await pass();
    const first = peers();
    // Another node that asks changes who would be next.
    says("b", { probeRequest: { ...request, id: "r2" } });
    cached = cached.map((one) => (one.metadata.name === "b" ? (api.stored(STATES, "b") ?? one) : one));
    const before = api.writes.length;
    await pass();
    expect(names.filter((name) => state(name).spec.probes?.some(({ id }) => id === "r1"))).toEqual(first);
    expect(api.writes.length - before).toBe(1);
  });

  it("is not written into a NodeState that another one has taken the place of", async () => {
    says("a", { probeRequest: request });
    look();
    for (const name of ["b", "c"]) {
      const object = api.stored(STATES, name);
      if (object !== undefined) api.put(STATES, { ...object, metadata: { ...object.metadata, uid: "another" } });
    }
    await pass();
    expect(peers()).toEqual([]);
  });
});
