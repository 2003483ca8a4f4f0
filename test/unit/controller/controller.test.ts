import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Controller, createController } from "../../../src/controller/controller.ts";
import { DEFAULT_CONTROLLER_SETTINGS } from "../../../src/controller/settings.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { policyObject } from "./facts.ts";
import { type FakeApi, fakeApi, putNode } from "./fake-api.ts";

const STATES = "porthardeningnodestates";
const POLICIES = "porthardeningpolicies";
const CRDS = "customresourcedefinitions";
const POLICY_CRD = "porthardeningpolicies.porthardening.io";

let api: FakeApi;
let log: string;
let registry: Registry;
let stop: () => Promise<void>;

beforeEach(() => {
  api = fakeApi();
  log = "";
  stop = async () => {};
  api.put(CRDS, object("CustomResourceDefinition", POLICY_CRD));
  putNode(api, "a");
  api.put(POLICIES, policyObject("p"));
});
afterEach(() => stop());

function start(): Controller {
  const end = new AbortController();
  registry = new Registry();
  const destination = { write: (line: string) => void (log += line) };
  const logger = createLogger({ name: "controller", level: "debug", destination });
  const settings = DEFAULT_CONTROLLER_SETTINGS;
  const controller = createController({
    client: api,
    namespace: "ns",
    logger,
    registry,
    settings,
    now: Date.now,
  });
  const running = controller.run(end.signal);
  stop = async () => {
    end.abort();
    await running;
  };
  return controller;
}

function object(kind: string, name: string, rest: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind,
    metadata: {
      name,
      uid: `uid-${name}`,
    },
    ...rest,
  };
}

const policiesOn = (node: string) => {
  const { spec } = (api.stored(STATES, node) ?? {}) as {
    readonly spec?: { readonly policies: readonly { name: string }[] };
  };
  return spec?.policies.map(({ name }) => name);
};
const until = (what: string, holds: () => boolean) =>
  waitFor(what, () => (holds() ? true : undefined), {
    timeoutMilliseconds: 5_000,
    intervalMilliseconds: 2,
    lastSeen: () => log,
  });

it("creates a NodeState with all of its policies in one write", async () => {
  api.put(POLICIES, policyObject("q"));
  start();
  await until("the NodeState", () => policiesOn("a") !== undefined);
  expect(policiesOn("a")).toEqual(["p", "q"]);
  expect(api.writes.filter((write) => write.includes(STATES))).toEqual([`CREATE ${STATES}/a`]);
});

it("leaves what else a NodeState's spec says to the passes that write it", async () => {
  const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: "a", uid: "uid-a" }];
  const metadata = { name: "a", uid: "state-a", ownerReferences };
  api.put(STATES, object("PortHardeningNodeState", "a", { metadata, spec: { policies: [], others: "x" } }));
  start();
  await until("the policy", () => policiesOn("a")?.length === 1);
  expect(api.stored(STATES, "a")).toMatchObject({ spec: { policies: [{ name: "p" }], others: "x" } });
});

describe("before the first complete list", () => {
  it.each([POLICIES, "nodes", STATES, "leases"])(
    "of %s nothing is written to any NodeState, and nothing deleted",
    async (plural) => {
      api.put(STATES, object("PortHardeningNodeState", "a", { spec: { policies: [{ name: "other" }] } }));
      api.put(STATES, object("PortHardeningNodeState", "gone", { spec: { policies: [] } }));
      api.withhold(plural);
      const controller = start();
      await until("all other lists", () => controller.unready().length === 1);
      // The passes that follow the last list are queued at once: when the role groups were looked at, so was the fleet.
      api.put("services", object("Service", "s", { spec: { clusterIPs: ["198.19.0.1"] } }));
      await until("a pass after that", () => api.writes.includes("APPLY porthardeningaddressgroups/cluster-vips-0"));
      expect(api.writes.filter((write) => write.includes(STATES))).toEqual([]);
    },
  );
});

describe("a policy that is no longer there", () => {
  beforeEach(async () => {
    start();
    await until("the NodeState", () => policiesOn("a")?.length === 1);
  });

  it("is taken off the node", async () => {
    api.remove(POLICIES, "p");
    await until("its removal", () => policiesOn("a")?.length === 0);
  });

  it.each([
    ["is being deleted", () => api.put(CRDS, deleting())],
    ["is absent", () => api.remove(CRDS, POLICY_CRD)],
  ])("stays on the node while its CRD %s, and leaves once that stands again", async (_what, act) => {
    act();
    api.remove(POLICIES, "p");
    await until("the refusal", () => log.includes("RemovalRefusedError"));
    expect(policiesOn("a")).toEqual(["p"]);
    api.put(CRDS, object("CustomResourceDefinition", POLICY_CRD));
    await until("its removal", () => policiesOn("a")?.length === 0);
  });

  it("does not clear a node that is made known meanwhile", async () => {
    api.remove(CRDS, POLICY_CRD);
    api.remove(POLICIES, "p");
    putNode(api, "b");
    await until("the refusal", () => /"key":"node\/b"/.test(log));
    expect(api.stored(STATES, "b")).toBeUndefined();
  });
});

it("has the agent of a node that nobody heard of yet keep what it has, also while the policies' CRD is absent", async () => {
  api.remove(CRDS, POLICY_CRD);
  api.put("nodes", object("Node", "silent"));
  start();
  await until("its NodeState", () => api.stored(STATES, "silent") !== undefined);
  expect(api.stored(STATES, "silent")).toMatchObject({ spec: { policies: [], keep: ["p"] } });
});

it("deletes the NodeState of a Node that is gone, and no other", async () => {
  putNode(api, "b");
  start();
  await until("both NodeStates", () => policiesOn("a") !== undefined && policiesOn("b") !== undefined);
  api.remove("nodes", "b");
  await until("its deletion", () => api.stored(STATES, "b") === undefined);
  expect(policiesOn("a")).toEqual(["p"]);
});

it("is ready when every cache is complete, and says until then what it waits for", async () => {
  api.withhold("servicecidrs");
  const controller = start();
  await until("all other lists", () => controller.unready().length === 1);
  expect(controller.unready()).toEqual(["serviceCidrs: no complete list yet"]);
});

it("counts passes, errors, policies and nodes, without naming any", async () => {
  start();
  await until("a status", () => api.writes.includes(`STATUS ${POLICIES}/p`));
  api.remove(CRDS, POLICY_CRD);
  api.remove(POLICIES, "p");
  await until("a refusal", () => log.includes("RemovalRefusedError"));
  const metrics = await registry.metrics();
  expect(metrics).toMatch(/reconcile_duration_seconds_count\{kind="fleet"\} [1-9]/);
  expect(metrics).toMatch(/reconcile_errors_total\{kind="node"\} [1-9]/);
  expect(metrics).toMatch(/port_hardening_nodes\{state="Pending"\} 1/);
});

function deleting(): KubeObject {
  const crd = object("CustomResourceDefinition", POLICY_CRD);
  return { ...crd, metadata: { ...crd.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
}
