import { afterEach, describe, expect, it, vi } from "vitest";
import { type AgentInputs, agentInputs } from "../../../src/agent/inputs.ts";
import type { KubeClient, KubeObject, Resource, WatchEvent } from "../../../src/kube/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

let stop = new AbortController();
afterEach(() => stop.abort());

/** An API server for two kinds: `tell` sends an event to whoever watches the kind. */
function server(states: KubeObject[], groups: KubeObject[]) {
  const tellers = new Map<string, (event: WatchEvent) => void>();
  const selectors: (string | undefined)[] = [];
  const unused = () => Promise.reject(new Error("not asked for in these tests"));
  const client: KubeClient = {
    async list({ kind }, { fieldSelector }) {
      selectors.push(fieldSelector);
      return { items: isState(kind) ? states : groups, resourceVersion: "1", continue: undefined };
    },
    async *watch({ kind }: Resource, _options, signal) {
      const events: WatchEvent[] = [];
      let wake = (): void => undefined;
      tellers.set(kind, (event) => {
        events.push(event);
        wake();
      });
      signal?.addEventListener("abort", () => wake(), { once: true });
      while (!signal?.aborted) {
        const event = events.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    get: unused,
    apply: unused,
    create: unused,
    replace: unused,
    delete: unused,
    close: unused,
  };
  const tell = (object: KubeObject, type: "MODIFIED" | "DELETED" = "MODIFIED") =>
    tellers.get(object.kind)?.({ type, object });
  return { client, selectors, tell, watched: () => tellers.size === 2 };
}
const isState = (kind: string) => kind === "PortHardeningNodeState";

const state = (generation: number, resourceVersion: string, policies: unknown = []) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningNodeState",
  metadata: { name: "node1", uid: "u", generation, resourceVersion },
  spec: { policies },
});
const group = (resourceVersion: string, ...addresses: string[]) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningAddressGroup",
  metadata: { name: "office", uid: "g", resourceVersion, labels: { list: "office" } },
  spec: { addresses },
});

async function started(api: ReturnType<typeof server>) {
  stop = new AbortController();
  let rings = 0;
  const log = createLogger({ name: "agent", level: "fatal" });
  const inputs = agentInputs({ client: api.client, nodeName: "node1", log, onChange: () => (rings += 1) });
  void inputs.run(stop.signal);
  await vi.waitUntil(() => inputs.synced && api.watched());
  return { inputs: inputs as AgentInputs, rings: () => rings };
}

describe("agentInputs", () => {
  it("asks for this node's NodeState only, and says what is missing until both lists are complete", async () => {
    const api = server([state(1, "1", [{ name: "a" }])], [group("1", "192.0.2.0/24")]);
    const log = createLogger({ name: "agent", level: "fatal" });
    const before = agentInputs({ client: api.client, nodeName: "node1", log, onChange: () => undefined });
    expect(before.synced).toBe(false);
    expect(before.missing).toHaveLength(2);
    const { inputs } = await started(api);
    expect(api.selectors).toContain("metadata.name=node1");
    expect(inputs.missing).toEqual([]);
    expect(inputs.nodeState()).toMatchObject({ uid: "u", generation: 1, policies: [{ name: "a" }] });
    expect(inputs.groups()).toEqual([{ name: "office", labels: { list: "office" }, addresses: ["192.0.2.0/24"] }]);
  });

  it("counts a new spec and a group's edit as changes, but not the status that the agent writes", async () => {
    const api = server([state(1, "1")], [group("1", "192.0.2.0/24")]);
    const { inputs, rings } = await started(api);
    const { revision } = inputs;
    const before = rings();
    api.tell({ ...state(1, "2"), status: { agentVersion: "1" } } as KubeObject);
    api.tell(group("3", "192.0.2.0/24", "198.51.100.0/24"));
    await vi.waitUntil(() => inputs.revision > revision);
    expect([inputs.revision, rings()]).toEqual([revision + 1, before + 1]);
    expect(inputs.nodeState()?.status).toMatchObject({ agentVersion: "1" });
    api.tell(state(2, "4", [{ name: "a" }]));
    await vi.waitUntil(() => inputs.nodeState()?.generation === 2);
    expect(inputs.revision).toBe(revision + 2);
  });

  it("rings for what others ask to have measured, which concerns no rule", async () => {
    const api = server([state(1, "1", [{ name: "a" }])], []);
    const { inputs, rings } = await started(api);
    const { revision } = inputs;
    const before = rings();
    const paths = [{ from: "198.18.0.12", to: "198.18.0.11" }];
    const probes = [{ id: "x", node: "node2", at: "2026-01-01T00:00:00Z", ports: [8080], paths }];
    const asked = state(2, "2", [{ name: "a" }]);
    api.tell({ ...asked, spec: { ...asked.spec, probes } } as KubeObject);
    await vi.waitUntil(() => rings() > before);
    expect(inputs.nodeState()).toMatchObject({ generation: 2, probes });
    expect(inputs.revision).toBe(revision);
  });

  it("keeps the last good content of a group that becomes malformed, until it is deleted", async () => {
    const api = server([], [group("1", "192.0.2.0/24")]);
    const { inputs } = await started(api);
    api.tell(group("2", "not an address"));
    api.tell(state(1, "3"));
    await vi.waitUntil(() => inputs.nodeState() !== undefined);
    expect(inputs.groups()).toMatchObject([{ addresses: ["192.0.2.0/24"] }]);
    api.tell(group("4", "not an address"), "DELETED");
    await vi.waitUntil(() => inputs.groups().length === 0);
    api.tell(group("5", "not an address"));
    api.tell(state(2, "6"));
    await vi.waitUntil(() => inputs.nodeState()?.generation === 2);
    expect(inputs.groups()).toEqual([]);
  });

  it("tells a spec that is no list from one that is empty", async () => {
    const api = server([state(1, "1", "all")], []);
    const { inputs } = await started(api);
    expect(inputs.nodeState()).toMatchObject({ policies: undefined });
  });
});
